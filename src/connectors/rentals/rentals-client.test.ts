import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Agent } from 'undici';
import { createAgent } from '../http/create-agent.ts';
import { readAnswer } from './read-answer.ts';
import { createRentalsClient, type RentalsClientOptions } from './rentals-client.ts';
import { createSpacing } from './spacing.ts';

const record = { bookingNo: 'B1' };
const signal = new AbortController().signal;

describe('an answer', () => {
  test.each([
    ['at dataSet.data', { dataSet: { data: [record] } }],
    ['at dataSet', { dataSet: [record] }],
    ['at data', { data: [record] }],
    ['at result', { result: [record] }],
    ['at the top', [record]],
    ['behind an empty place', { dataSet: null, data: [record] }],
  ])('has its records %s', (_where, answer) => {
    expect(readAnswer('API', JSON.stringify(answer))).toEqual([record]);
  });

  test.each([
    ['null', null],
    ['{status: false}', { status: false }],
    ['{status: false} with a message', { status: false, message: 'No data', dataSet: null }],
    ['dataSet null', { dataSet: null }],
    ['dataSet.data null', { dataSet: { data: null } }],
    ['an empty list', { dataSet: { data: [] } }],
  ])('has no records when it is %s', (_what, answer) => {
    expect(readAnswer('API', JSON.stringify(answer))).toEqual([]);
  });

  test.each([
    ['a login page', '<!DOCTYPE html><html>Log in</html>', /a web page, perhaps a login/],
    ['cut off', '{"dataSet": {"data": [{"a"', /something else instead of JSON/],
    ['empty', '', /no list of records/],
    ['a list of nulls', '[null, null]', /none of the 2 entries/],
    ['in another form', '{"items": [{"a": 1}], "total": 1}', /no list of records; it has: items, total/],
    ['a number', '7', /no list of records/],
    ['status true alone', '{"status": true}', /no list of records/],
  ])('that is %s is refused with the reason', (_what, text, message) => {
    expect(() => readAnswer('API', text)).toThrow(message);
  });

  test('may begin with a byte order mark', () => {
    expect(readAnswer('API', '\uFEFF[]')).toEqual([]);
  });
});

describe('a call', () => {
  let http: Agent;
  let close: () => void;
  let at: number[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let url: string;
  beforeEach(async () => {
    http = createAgent();
    at = [];
    const server = createServer((request, response) => {
      at.push(performance.now());
      request.resume().on('end', () => answer(request, response));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterEach(async () => {
    close();
    await http.destroy();
  });

  const client = (options: Partial<RentalsClientOptions> = {}) =>
    createRentalsClient({
      baseUrl: `${url}/base/`,
      apiKey: 's3cret',
      http,
      spacing: { bookings: createSpacing(1), returns: createSpacing(1) },
      firstWaitMs: 20,
      ...options,
    });
  const ask = (options: Partial<RentalsClientOptions> = {}, stop = signal) =>
    client(options).fetchReport(
      { report: 'bookings', locationId: '1', dateFrom: '', dateTo: '', months: 12 },
      stop,
    );

  test('is tried three times, each wait twice as long as the one before', async () => {
    answer = (_request, response) => void response.writeHead(503).end();
    await expect(ask()).rejects.toMatchObject({
      code: 'SourceUnavailable',
      message: expect.not.stringContaining('again'),
    });
    expect(at).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(19);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  test('goes on with the answer of a later try', async () => {
    answer = (request, response) => {
      if (at.length < 3) request.socket.destroy();
      else response.end(JSON.stringify([record]));
    };
    expect(await ask()).toEqual([record]);
  });

  test.each([401, 403, 404, 400])(
    'that is refused with %i is not tried again, and the key stays unsaid',
    async (status) => {
      answer = (_request, response) => void response.writeHead(status).end('s3cret');
      const failure = await ask().catch((error: unknown) => error);
      expect(String(failure)).toContain(`${status}`);
      expect(String(failure)).not.toMatch(/s3cret|base/);
      expect(at).toHaveLength(1);
    },
  );

  test('waits as long as the source asks for, and leaves longer waits to the next run', async () => {
    answer = (_request, response) => {
      if (at.length === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.writeHead(429, { 'retry-after': '3600' }).end();
    };
    await expect(ask()).rejects.toMatchObject({ code: 'SourceThrottled' });
    expect(at).toHaveLength(2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(995);
  });

  test('with an answer of 50 MB stops reading it and says what to do', async () => {
    const block = Buffer.alloc(1024 * 1024, 'x');
    let sent = 0;
    answer = (_request, response) => {
      const send = (): void => {
        while (sent < 50 && !response.destroyed) {
          sent += 1;
          if (!response.write(block)) return void response.once('drain', send);
        }
        response.end();
      };
      send();
    };
    await expect(ask()).rejects.toMatchObject({
      code: 'SourceRefused',
      message: expect.stringContaining('larger than 32 MB'),
    });
    expect(sent).toBeLessThan(50);
  });

  test('that hangs ends in time, before its answer and in the middle of it', async () => {
    answer = (_request, response) => {
      if (at.length > 1) response.write('[');
    };
    await expect(ask({ timeoutMs: 100 })).rejects.toThrow('no whole answer within 0.1 s');
    expect(at).toHaveLength(3);
  });

  test('stops at once when the run stops', async () => {
    answer = () => undefined;
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(ask({}, stop.signal)).rejects.toThrow('stopped');
    expect(at).toHaveLength(1);
  });

  test('to one report starts half a second after the one before, also when many ask at once', async () => {
    answer = (_request, response) => void response.end('[]');
    const spacing = { bookings: createSpacing(500), returns: createSpacing(500) };
    const rentals = client({ spacing });
    const request = { locationId: '1', dateFrom: '', dateTo: '', months: 12 };
    await Promise.all([
      ...[1, 2, 3].map(() => rentals.fetchReport({ ...request, report: 'bookings' }, signal)),
      rentals.fetchReport({ ...request, report: 'returns' }, signal),
    ]);
    const [first = 0, second = 0, third = 0, fourth = 0] = at;
    expect(second - first).toBeLessThan(250);
    expect(third - second).toBeGreaterThan(470);
    expect(fourth - third).toBeGreaterThan(470);
  });
});
