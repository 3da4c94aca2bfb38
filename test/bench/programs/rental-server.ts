import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The rental software: 21 locations, 100 rows in each report of a location, 100 ms for an answer. */
const ANSWER_MS = 100;
const ROWS = 100;

const stores = [{ id: 22, locName: 'Suitor Guy - Bench', status: 1 }];
const row = (location: string, number: number) => ({
  bookingNo: `B${location}-${number}`,
  customerName: `Customer ${number}`,
  phoneNo: `98${location.padStart(3, '0')}${String(number).padStart(5, '0')}`,
  bookingDate: '2026-11-20T00:00:00',
  returnDate: '2026-11-22T00:00:00',
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => void answer(Buffer.concat(chunks).toString()).then((text) => response.end(text)));
});

async function answer(body: string): Promise<string> {
  await sleep(ANSWER_MS);
  if (body === '') return JSON.stringify({ dataSet: { data: stores } });
  const { locationID } = JSON.parse(body) as { locationID: string };
  return JSON.stringify({
    dataSet: { data: Array.from({ length: ROWS }, (_, index) => row(locationID, index)) },
  });
}

server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => process.exit());
