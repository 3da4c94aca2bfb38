import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAgent } from '../http/create-agent.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { fetchCarPage } from './fetch-car-page.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const GOOD = { data: [{ id: 1 }], meta: { current_page: 1, last_page: 7 } };
const send =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(body);
const good = send(200, JSON.stringify(GOOD));

const http = createAgent();
let answers: Answer[] = [];
let requests: { url: string; key: unknown; atMs: number }[] = [];
let server: ReturnType<typeof createServer>;
let baseUrl = '';

beforeEach(async () => {
  answers = [];
  requests = [];
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', key: request.headers['x-api-key'], atMs: performance.now() });
    // The last answer is given for ever.
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (page = 1, signal = new AbortController().signal) =>
  fetchCarPage({ baseUrl, setting: 'AUCTIONS_API_BASE_URL', apiKey: 's3cret-key', http }, page, signal);

async function failureOf(asked: Promise<unknown>): Promise<SyncFailure> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SyncFailure)) throw new Error('it did not fail as a SyncFailure', { cause: error });
  expect(error.message).not.toContain('s3cret-key');
  expect(error.message).toMatch(/^AUCTIONS_API_BASE_URL/);
  return error;
}

describe('a page of cars', () => {
  test('is asked for with the key, fifty cars and the number of the page', async () => {
    answers = [good];
    expect(await ask()).toEqual({ cars: [{ id: 1 }], lastPage: 7 });
    expect(requests).toMatchObject([
      { url: '/api/cars?per_page=50&page=1&simple_paginate=0', key: 's3cret-key' },
    ]);
  });

  test('may come compressed, and with its numbers as text', async () => {
    const body = gzipSync(JSON.stringify({ data: [], meta: { current_page: '3', last_page: '3' } }));
    answers = [(response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)];
    expect(await ask(3)).toEqual({ cars: [], lastPage: 3 });
  });

  test('waits 750 ms and then twice as long when the source is busy', async () => {
    answers = [send(429, ''), send(429, ''), good];
    expect(await ask()).toMatchObject({ lastPage: 7 });
    const [first = 0, second = 0, third = 0] = requests.map(({ atMs }) => atMs);
    expect(second - first).toBeGreaterThanOrEqual(740);
    expect(third - second).toBeGreaterThanOrEqual(1_490);
  });

  test('waits as long as the source asks for', async () => {
    answers = [send(429, '', { 'retry-after': '1' }), good];
    await ask();
    const [first = 0, second = 0] = requests.map(({ atMs }) => atMs);
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  test('leaves a long wait to whoever asked, with its length', async () => {
    answers = [send(429, '', { 'retry-after': '900' })];
    expect(await failureOf(ask())).toMatchObject({ code: 'SourceThrottled', retryAfterMs: 900_000 });
    expect(requests).toHaveLength(1);
  });

  test('a wait ends when the run is stopped', async () => {
    answers = [send(429, '', { 'retry-after': '30' })];
    const stop = new AbortController();
    const asked = ask(1, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(asked).rejects.toThrow('stopped');
  });

  test('is asked for again after a failure that passes', async () => {
    answers = [send(503, ''), (response) => void response.destroy(), good];
    expect(await ask()).toMatchObject({ lastPage: 7 });
  });

  test('is given up after three failures', async () => {
    answers = [send(502, '<html>Bad gateway</html>')];
    expect((await failureOf(ask())).code).toBe('SourceUnavailable');
    expect(requests).toHaveLength(3);
  });
});

describe('a source that blocks us', () => {
  test.each([
    ['403', send(403, ''), 'SourceUnauthorized', 'answered 403'],
    ['407', send(407, ''), 'SourceUnauthorized', 'answered 407'],
    ['401', send(401, ''), 'SourceUnauthorized', 'Check AUCTIONS_API_KEY'],
    [
      'a bot check',
      send(200, '<!doctype html><title>Just a moment...</title>', { 'content-type': 'text/html' }),
      'SourceRefused',
      'a web page in place of cars',
    ],
    ['a web page without a type', send(200, '\n <html>'), 'SourceRefused', 'a web page in place of cars'],
  ])('is asked once and left alone: %s', async (_name, answer, code, message) => {
    answers = [answer];
    const failure = await failureOf(ask());
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
    expect(failure.message).toContain('page 1');
    expect(failure.message).toContain('Nothing more is asked in this run');
    expect(requests).toHaveLength(1);
  });
});

describe('an answer that is no page', () => {
  test.each([
    ['no JSON', 'oops', 'all of it'],
    ['null', 'null', 'all of it'],
    ['an array', '[]', 'all of it'],
    ['{status:false}', '{"status":false}', 'data'],
    ['null data', '{"data":null,"meta":{"current_page":1,"last_page":1}}', 'data'],
    ['no meta', '{"data":[]}', 'meta'],
    ['no last page', '{"data":[],"meta":{"current_page":1}}', 'meta.last_page'],
    [
      'page numbers that are not',
      '{"data":[],"meta":{"current_page":"one","last_page":1}}',
      'meta.current_page',
    ],
    ['another page', '{"data":[],"meta":{"current_page":2,"last_page":9}}', 'does not turn its pages'],
  ])('fails with what is wrong: %s', async (_name, body, wrong) => {
    answers = [send(200, body)];
    const failure = await failureOf(ask());
    expect(failure.code).toBe('FileUnreadable');
    expect(failure.message).toContain(wrong);
    expect(requests).toHaveLength(1);
  });

  test('50 MB are not read to their end', async () => {
    let sent = 0;
    answers = [
      (response) => {
        const chunk = Buffer.alloc(1024 * 1024, ' ');
        const more = (): void => {
          while (sent < 50 && !response.destroyed) {
            sent += 1;
            if (!response.write(chunk)) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      },
    ];
    const failure = await failureOf(ask());
    expect(failure).toMatchObject({ code: 'FileUnreadable' });
    expect(failure.message).toContain('more than 16 MB');
    expect(sent).toBeLessThan(50);
  });
});
