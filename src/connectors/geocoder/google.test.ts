import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { createGoogleGeocoder } from './google.ts';

const API_KEY = 'k3y+with/odd&characters';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

async function startGoogle(answer: Answerer): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function geocoderAt(baseUrl: string) {
  const dispatcher = new Agent();
  closers.unshift(() => dispatcher.destroy());
  return createGoogleGeocoder({ apiKey: API_KEY, baseUrl, dispatcher, timeoutMs: 300 });
}

async function geocoderAnswering(body: unknown, status = 200, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return geocoderAt(await startGoogle((_, response) => response.writeHead(status, headers).end(text)));
}

const live = () => new AbortController().signal;

async function failureOf(asking: Promise<unknown>): Promise<SyncFailure> {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SyncFailure)) throw new Error(`expected a SyncFailure, got ${inspect(error)}`);
  const shown = inspect(error, { depth: 20, showHidden: true });
  expect(shown).not.toContain(API_KEY);
  expect(shown).not.toContain(encodeURIComponent(API_KEY));
  return error;
}

test('asks for one address with region and key, below a base address that has a path', async () => {
  const asked: string[] = [];
  const baseUrl = await startGoogle((request, response) => {
    asked.push(request.url ?? '');
    response.end('{"status":"ZERO_RESULTS","results":[]}');
  });
  await geocoderAt(`${baseUrl}/proxy/`).geocode('1 Main St & 2nd, Los Angeles', live());
  const url = new URL(asked[0] ?? '', baseUrl);
  expect(url.pathname).toBe('/proxy/maps/api/geocode/json');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    address: '1 Main St & 2nd, Los Angeles',
    region: 'us',
    key: API_KEY,
  });
});

test.each([
  ['OVER_QUERY_LIMIT', 'You have exceeded your rate-limit for this API.', 'SourceThrottled'],
  ['OVER_QUERY_LIMIT', 'You have exceeded your daily request quota for this API.', 'SourceRefused'],
  ['OVER_DAILY_LIMIT', 'You must enable Billing.', 'SourceRefused'],
  ['REQUEST_DENIED', `The provided API key ${API_KEY} is invalid.`, 'SourceUnauthorized'],
  ['UNKNOWN_ERROR', undefined, 'SourceUnavailable'],
])('%s (%s) becomes %s', async (status, error_message, code) => {
  const geocoder = await geocoderAnswering({ status, error_message, results: [] });
  expect((await failureOf(geocoder.geocode('1 Main St', live()))).code).toBe(code);
});

test.each([
  [500, 'SourceUnavailable'],
  [503, 'SourceUnavailable'],
  [403, 'SourceUnauthorized'],
  [404, 'SourceRefused'],
  [302, 'SourceRefused'],
  [200, 'SourceUnavailable'],
])('an unreadable answer with HTTP status %i becomes %s', async (status, code) => {
  const geocoder = await geocoderAnswering('<html>not Google</html>', status);
  expect((await failureOf(geocoder.geocode('1 Main St', live()))).code).toBe(code);
});

test('HTTP 429 waits as long as the answer asks', async () => {
  const geocoder = await geocoderAnswering('slow down', 429, { 'retry-after': '7' });
  expect(await failureOf(geocoder.geocode('1 Main St', live()))).toMatchObject({
    code: 'SourceThrottled',
    retryAfterMs: 7000,
  });
});

test('an address that is refused as too long is an answer about that address', async () => {
  const geocoder = await geocoderAnswering('URI Too Long', 414);
  expect((await geocoder.geocode('x'.repeat(9000), live())).status).toBe('INVALID_REQUEST');
});

test('OK without a result is a passing failure, not a place', async () => {
  const geocoder = await geocoderAnswering({ status: 'OK', results: [] });
  expect((await failureOf(geocoder.geocode('1 Main St', live()))).code).toBe('SourceUnavailable');
});

test('a partial match is approximate even where Google names a rooftop', async () => {
  const geometry = { location: { lat: 34.1, lng: -118.3 }, location_type: 'ROOFTOP' };
  const geocoder = await geocoderAnswering({ status: 'OK', results: [{ geometry, partial_match: true }] });
  expect(await geocoder.geocode('1 Main St', live())).toEqual({
    status: 'OK',
    latitude: 34.1,
    longitude: -118.3,
    placeId: null,
    approximate: true,
  });
});

test('a server that accepts and never answers is unavailable after the timeout', async () => {
  const geocoder = geocoderAt(await startGoogle(() => undefined));
  const failure = await failureOf(geocoder.geocode('1 Main St', live()));
  expect(failure).toMatchObject({
    code: 'SourceUnavailable',
    message: expect.stringContaining('TimeoutError'),
  });
});

test('an answer that trickles in is given up at the timeout as well', async () => {
  const baseUrl = await startGoogle((_, response) => {
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  });
  expect((await failureOf(geocoderAt(baseUrl).geocode('1 Main St', live()))).code).toBe('SourceUnavailable');
});

test('a port that nobody listens on is unavailable and named by setting and host', async () => {
  const baseUrl = await startGoogle(() => undefined);
  for (const close of closers.splice(0)) await close();
  const failure = await failureOf(geocoderAt(baseUrl).geocode('1 Main St', live()));
  expect(failure.code).toBe('SourceUnavailable');
  expect(failure.message).toContain('ECONNREFUSED');
  expect(failure.message).toContain(`${baseUrl} (GOOGLE_MAPS_BASE_URL)`);
});

test('an aborted signal ends the request with its own reason', async () => {
  const stop = new AbortController();
  const geocoder = geocoderAt(await startGoogle(() => stop.abort(new Error('cancelled by the run'))));
  await expect(geocoder.geocode('1 Main St', stop.signal)).rejects.toThrow('cancelled by the run');
});

const EXAMPLES = new URL('../../../../shared/contracts/google/geocode-examples.json', import.meta.url);
const examplesMissing = !existsSync(EXAMPLES) && process.env.CI !== 'true';

describe.skipIf(examplesMissing)('real answers of the Geocoding API', () => {
  test('all 16 are read, and their coordinates, place and status come out', async () => {
    const example = z.object({ value: z.object({ status: z.string(), results: z.array(z.unknown()) }) });
    const file = z.object({ examples: z.record(z.string(), example) });
    const { examples } = file.parse(JSON.parse(readFileSync(EXAMPLES, 'utf8')));
    expect(Object.keys(examples)).toHaveLength(16);
    for (const { value } of Object.values(examples)) {
      const answer = await (await geocoderAnswering(value)).geocode('1 Main St', live());
      const located = value.status === 'OK' ? value.results[0] : undefined;
      expect(answer.status).toBe(value.status);
      expect({
        geometry: { location: { lat: answer.latitude, lng: answer.longitude } },
        place_id: answer.placeId,
      }).toEqual(
        located === undefined
          ? { geometry: { location: { lat: null, lng: null } }, place_id: null }
          : {
              geometry: { location: (located as { geometry: { location: unknown } }).geometry.location },
              place_id: (located as { place_id: string }).place_id,
            },
      );
    }
  });
});
