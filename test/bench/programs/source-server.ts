import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Serves the files of a folder, pages of cars among them, and a geocoder with Google's answers that takes 100 ms and refuses what comes
 * faster than 50 a second. `/calls` tells how often the geocoder was asked and refused.
 */
const [folder = '.'] = process.argv.slice(2);
const GEOCODER_TAKES_MS = 100;
const GEOCODER_PER_SECOND = 50;

const calls = { asked: 0, refused: 0 };
const arrivals: number[] = [];

async function sendFile(path: string, response: ServerResponse, type = 'text/csv'): Promise<void> {
  const file = join(folder, path);
  const { size } = await stat(file);
  response.writeHead(200, { 'content-type': type, 'content-length': size });
  await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), response);
}

async function geocode(response: ServerResponse): Promise<void> {
  const now = performance.now();
  calls.asked += 1;
  while (arrivals[0] !== undefined && arrivals[0] <= now - 1000) arrivals.shift();
  const refused = arrivals.length >= GEOCODER_PER_SECOND;
  if (refused) calls.refused += 1;
  else arrivals.push(now);
  await sleep(GEOCODER_TAKES_MS);
  const location = { lat: 34.05, lng: -118.24 };
  const result = { geometry: { location, location_type: 'ROOFTOP' }, place_id: 'made-up' };
  const answer = refused ? { status: 'OVER_QUERY_LIMIT' } : { status: 'OK', results: [result] };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/calls') return void response.end(JSON.stringify(calls));
  const sending = pathname.startsWith('/maps/')
    ? geocode(response)
    : pathname === '/api/cars'
      ? sendFile(`/auctions/${Number(searchParams.get('page'))}.json`, response, 'application/json')
      : sendFile(pathname, response);
  sending.catch((error: unknown) => {
    console.error(`${pathname}: ${String(error)}`);
    response.destroy();
  });
});
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => process.exit());
