import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export const AUCTIONS_KEY = 'auctions-key';

type Answer = (request: IncomingMessage, response: ServerResponse, page: number) => void;

export interface FakeAuctions {
  readonly url: string;
  /** What the source shows, newest first, in pages of `perPage`. */
  cars: readonly unknown[];
  perPage: number;
  /** Answers instead of the cars while it is set. */
  answer: Answer | null;
  /** How often each page was asked for. */
  readonly requests: Map<number, number>;
  /** The query of the last request. */
  lastQuery: Readonly<Record<string, string>>;
}

/** A real HTTP server that speaks the auctions API; closed after the file's last test. */
export async function startFakeAuctions(): Promise<FakeAuctions> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const page = Number(searchParams.get('page'));
    fake.requests.set(page, (fake.requests.get(page) ?? 0) + 1);
    fake.lastQuery = Object.fromEntries(searchParams);
    if (pathname !== '/api/cars') return void response.writeHead(404).end('{}');
    if (fake.answer) return fake.answer(request, response, page);
    if (request.headers['x-api-key'] !== AUCTIONS_KEY) return void response.writeHead(401).end('{}');
    sendPage(response, pageOf(fake, page));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const fake: FakeAuctions = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cars: [],
    perPage: 50,
    answer: null,
    requests: new Map(),
    lastQuery: {},
  };
  return fake;
}

export const pageOf = (
  { cars, perPage }: Pick<FakeAuctions, 'cars' | 'perPage'>,
  page: number,
): { data: readonly unknown[]; meta: { current_page: number; last_page: number } } => ({
  data: cars.slice((page - 1) * perPage, page * perPage),
  meta: { current_page: page, last_page: Math.max(1, Math.ceil(cars.length / perPage)) },
});

/** Lets the source answer from a page on only when `release` is called; it answers then as it would have when asked. */
export function stallFrom(
  auctions: FakeAuctions,
  first: number,
): { readonly asked: Promise<void>; release(): void } {
  let isAsked = (): void => undefined;
  let release = (): void => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  auctions.answer = (_request, response, page) => {
    const answer = pageOf(auctions, page);
    if (page < first) return sendPage(response, answer);
    isAsked();
    void released.then(() => sendPage(response, answer));
  };
  return { asked, release };
}

export function sendPage(response: ServerResponse, page: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
}

/** A car with one lot, of Encar when its number is odd, else of KB Chachacha. */
export function carRecord(id: number, lot: object = {}, rest: object = {}): Record<string, unknown> {
  return {
    id,
    year: 2021,
    vin: '1M8GDM9AXKP042788',
    title: `Car ${id}`,
    manufacturer: { id: 1, name: 'Hyundai' },
    model: { id: 2, name: 'Sonata' },
    generation: { id: 3, name: 'DN8' },
    fuel: { name: 'gasoline' },
    transmission: { name: 'automatic' },
    color: { name: 'white' },
    body_type: { name: 'sedan' },
    drive_wheel: { name: 'front' },
    engine: { name: '2.0L' },
    cylinders: 4,
    lots: [
      {
        lot: String(1000 + id),
        buy_now: 10_000 + id,
        bid: 0,
        status: 1,
        sale_status: null,
        sale_date: null,
        seller: 'Dealer',
        odometer: { km: 45_210, mi: 28_092 },
        images: { normal: [`https://images.example/${id}.jpg`], big: [] },
        domain: { name: id % 2 === 1 ? 'encar_com' : 'kbchachacha_com' },
        location: { name: 'Seoul' },
        ...lot,
      },
    ],
    ...rest,
  };
}

/** Cars with the numbers from 1 to `count`. */
export const carRecords = (count: number): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, index) => carRecord(index + 1));
