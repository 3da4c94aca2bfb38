import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

/** One call that the rental software had. */
interface RentalsCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, string>>;
  /** From performance.now(). */
  readonly at: number;
}

type Handler = (call: RentalsCall, response: ServerResponse) => void | Promise<void>;
/** What a location answers: a value as JSON, or a function that answers by itself. */
type RentalsAnswer = Handler | object | string | null;

export interface FakeRentals {
  readonly url: string;
  readonly calls: RentalsCall[];
  /** The store list; the 20 known locations and the demo's 22 at first. */
  stores: RentalsAnswer;
  /** What a report answers for a location from now on; no rows at first. */
  answer(report: 'bookings' | 'returns', location: number, answer: RentalsAnswer): void;
  /** Forgets answers and calls. */
  reset(): void;
  /** The locations that a report was called for, in the order of the calls. */
  calledFor(report: 'bookings' | 'returns'): string[];
}

const PATHS: Readonly<Record<string, 'bookings' | 'returns'>> = {
  '/api/Reports/GetBookingReport': 'bookings',
  '/api/Reports/GetReturnReport': 'returns',
};
const STORE_LIST = [
  { id: 1, locCode: 'Z-1', locName: 'Zorucci - Edappally', status: 1, brand: 'Zorucci', city: 'Kochi' },
  { id: 22, locCode: 'G-22', locName: 'SG Demo', status: 1, brand: 'Suitor Guy', city: 'Kochi' },
  { id: 40, locCode: 'G-40', locName: 'Closed long ago', status: 0, brand: 'Suitor Guy', city: 'Kochi' },
];

/** The rental software over real HTTP; closed after the file's last test. */
export async function startFakeRentals(): Promise<FakeRentals> {
  const answers = new Map<string, RentalsAnswer>();
  const server = createServer((request, response) => {
    void handle(request, response);
  });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, string>);
    const call = { path, headers: request.headers, body, at };
    fake.calls.push(call);
    const report = PATHS[path];
    if (path !== '/api/Location/LocationList' && report === undefined)
      return void response.writeHead(404).end();
    const empty = { dataSet: { data: [] } };
    const answer = report ? (answers.get(`${report}/${body['locationID']}`) ?? empty) : fake.stores;
    if (typeof answer === 'function') {
      await (answer as Handler)(call, response);
      return;
    }
    const json = typeof answer === 'string' ? answer : JSON.stringify(answer);
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(json);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const fake: FakeRentals = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    stores: { dataSet: { data: STORE_LIST } },
    answer: (report, location, answer) => void answers.set(`${report}/${location}`, answer),
    reset() {
      answers.clear();
      fake.calls.length = 0;
      fake.stores = { dataSet: { data: STORE_LIST } };
    },
    calledFor: (report) =>
      fake.calls.filter(({ path }) => PATHS[path] === report).map(({ body }) => body['locationID'] ?? ''),
  };
  return fake;
}

/** A booking as the software shows it. */
export const booking = (number: number, changes: object = {}): object => ({
  bookingNo: `BK${number}`,
  customerName: `Customer ${number}`,
  phoneNo: `98470${String(number).padStart(5, '0')}`,
  bookingDate: '2026-11-20T00:00:00',
  functionDate: '2026-12-24T00:00:00',
  bookingBy: 'Asha',
  price: 4500,
  ...changes,
});

/** A return as the software shows it. */
export const returned = (number: number, changes: object = {}): object => ({
  bookingNo: `BK${number}`,
  customerName: `Customer ${number}`,
  phoneNo: `98470${String(number).padStart(5, '0')}`,
  returnDate: '2026-11-22T00:00:00',
  ...changes,
});
