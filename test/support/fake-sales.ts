import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export const SALES_KEY = 'sales-s3cret-key';

/** One sale as the API shows it. */
export interface Sale {
  readonly date: string;
  readonly user_id: string;
  readonly product_name: string;
  readonly quantity: unknown;
  readonly unit_price: unknown;
  readonly total_amount: unknown;
  readonly region: string;
}

/** A sale of a day; those with the same number are the same. */
export const sale = (date: string, number: number, changes: Partial<Sale> = {}): Sale => ({
  date,
  user_id: `u${number}`,
  product_name: `Thing ${number}`,
  quantity: 2,
  unit_price: 1.5 + number,
  total_amount: 3 + 2 * number,
  region: 'North',
  ...changes,
});

/** A sale as a line of a file. */
const csvLine = (of: Sale): string =>
  [of.date, of.user_id, of.product_name, of.quantity, of.unit_price, of.total_amount, of.region].join(',');

export const CSV_HEADER = 'date,user_id,product_name,quantity,unit_price,total_amount,region';

export const csvFile = (...sales: readonly Sale[]): string =>
  `${[CSV_HEADER, ...sales.map(csvLine)].join('\n')}\n`;

export interface FakeSales {
  readonly url: string;
  /** The sales it has; it shows those of the days it is asked for. */
  sales: readonly Sale[];
  /** Answers in another way, until it is undefined again. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly asked: {
    readonly from: string | null;
    readonly to: string | null;
    readonly key: string | undefined;
  }[];
}

/** A sales API as a real HTTP server on loopback; closed after the file's last test. */
export async function startFakeSales(): Promise<FakeSales> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [from, to] = [searchParams.get('start_date'), searchParams.get('end_date')];
    fake.asked.push({ from, to, key: request.headers.authorization });
    if (fake.answer) return fake.answer(request, response);
    if (request.headers.authorization !== `Bearer ${SALES_KEY}`) return void response.writeHead(401).end();
    const shown = fake.sales.filter(({ date }) => date >= (from ?? '') && date <= (to ?? ''));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(shown));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const fake: FakeSales = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sales`,
    sales: [],
    answer: undefined,
    asked: [],
  };
  return fake;
}
