import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAgent, type SourceAgent } from './create-agent.ts';
import { fetchFile } from './fetch-file.ts';
import type { FileRequest } from './fetch-file.ts';

const CSV = 'id,name\n1,Zoë\n2,Bo\n';

let agent: SourceAgent;
let closers: (() => Promise<void>)[];

beforeEach(() => {
  agent = createAgent({ connectTimeoutMs: 500 });
  closers = [];
});

afterEach(async () => {
  await agent.destroy();
  for (const close of closers) await close();
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function serve(listener: RequestListener): Promise<string> {
  return listen(createServer(listener));
}

function answering(status: number, headers: Record<string, string> = {}, body: string | Buffer = '') {
  return serve((_request, response) => response.writeHead(status, headers).end(body));
}

/** Answers with exactly this text, and then closes the connection. */
function answeringRaw(text: string): Promise<string> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(text));
    }),
  );
}

function fetchFrom(url: string, options: Partial<FileRequest> = {}) {
  return fetchFile({ url, setting: 'FILE_URL', signal: new AbortController().signal, agent, ...options });
}

async function textOf(url: string, options: Partial<FileRequest> = {}): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of (await fetchFrom(url, options)).chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test('a file arrives as it is, with its content type and the time the fetch began', async () => {
  const base = await answering(200, { 'content-type': 'text/csv' }, CSV);
  const before = new Date();
  const file = await fetchFrom(base);
  expect(file.contentType).toBe('text/csv');
  expect(file.fetchStartedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(await textOf(base)).toBe(CSV);
});

test('an empty body is an empty file, also when it is marked as compressed', async () => {
  expect(await textOf(await answering(200))).toBe('');
  expect(await textOf(await answering(200, { 'content-encoding': 'gzip' }))).toBe('');
});

test('the server is read no faster than the file is taken', async () => {
  let sentBytes = 0;
  const block = Buffer.alloc(1024 * 1024, 'x');
  const base = await serve(async (_request, response) => {
    for (let sent = 0; sent < 100 && !response.destroyed; sent += 1) {
      sentBytes += block.length;
      if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
  const chunks = (await fetchFrom(base)).chunks[Symbol.asyncIterator]();
  await chunks.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(sentBytes).toBeLessThan(30 * block.length);
  await chunks.return?.();
});

describe('failures', () => {
  test.each([
    [400, 'SourceRefused'],
    [401, 'SourceUnauthorized'],
    [403, 'SourceUnauthorized'],
    [404, 'SourceNotFound'],
    [407, 'SourceUnauthorized'],
    [410, 'SourceNotFound'],
    [418, 'SourceRefused'],
    [429, 'SourceThrottled'],
    [202, 'SourceUnavailable'],
    [206, 'SourceTruncated'],
    [304, 'SourceRefused'],
    [500, 'SourceUnavailable'],
    [503, 'SourceUnavailable'],
  ])('status %i is %s', async (status, code) => {
    const base = await answering(status, {}, status === 304 ? '' : CSV);
    await expect(fetchFrom(base)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${status}`),
    });
  });

  test('Retry-After is understood in seconds and as a date', async () => {
    const waitOf = async (value: string) => {
      const failure: unknown = await fetchFrom(await answering(429, { 'retry-after': value })).catch(
        (e) => e,
      );
      return (failure as { retryAfterMs: number | undefined }).retryAfterMs;
    };
    expect(await waitOf('7')).toBe(7000);
    const ms = await waitOf(new Date(Date.now() + 60_000).toUTCString());
    expect(ms).toBeGreaterThan(55_000);
    expect(ms).toBeLessThanOrEqual(60_000);
    expect(await waitOf(new Date(Date.now() - 60_000).toUTCString())).toBe(0);
    expect(await waitOf('soon')).toBeUndefined();
  });

  test('a refused connection, an unknown host and a reset are SourceUnavailable and say so', async () => {
    const base = await answering(200);
    await closers.pop()?.();
    const unavailable = (text: string) => ({
      code: 'SourceUnavailable',
      message: expect.stringContaining(text),
    });
    await expect(fetchFrom(base)).rejects.toMatchObject(unavailable('the connection was refused'));
    await expect(fetchFrom('http://nowhere.invalid/a')).rejects.toMatchObject(
      unavailable('FILE_URL (http://nowhere.invalid): the host name could not be found'),
    );
    const resetting = await serve((request) => request.socket.resetAndDestroy());
    await expect(fetchFrom(resetting)).rejects.toMatchObject(unavailable('closed before an answer'));
  });

  test('an answer that does not begin in time is SourceUnavailable', async () => {
    const base = await serve(() => {});
    await expect(fetchFrom(base, { headersTimeoutMs: 200 })).rejects.toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('no answer in time'),
    });
  });

  test('a body that stands still is SourceUnavailable', async () => {
    const base = await serve((_request, response) => void response.writeHead(200).write(CSV));
    await expect(textOf(base, { bodyIdleTimeoutMs: 200 })).rejects.toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('stopped arriving'),
    });
  });

  test('an address that is not http is SourceNotConfigured', async () => {
    for (const url of ['no address', 'ftp://host/file', 'file:///etc/hosts']) {
      await expect(fetchFrom(url)).rejects.toMatchObject({ code: 'SourceNotConfigured' });
    }
  });

  test('an error names setting, scheme and host, and nothing else of the address', async () => {
    const base = (await answering(404)).replace('http://', 'http://ann:secret@');
    const failure: unknown = await fetchFrom(`${base}/path?key=secret`).catch((error: unknown) => error);
    expect((failure as Error).message).toBe(
      `FILE_URL (${base.replace('ann:secret@', '')}): answered 404 Not Found. Check the address in this setting.`,
    );
  });
});

describe('a body that was cut off is SourceTruncated', () => {
  const head = 'HTTP/1.1 200 OK\r\n';
  const gzip = gzipSync(CSV.repeat(1000));

  test.each([
    ['shorter than its Content-Length', `${head}Content-Length: 100\r\n\r\n${CSV}`],
    ['shorter, closing the connection', `${head}Content-Length: 100\r\nConnection: close\r\n\r\n${CSV}`],
    ['chunked, without its last chunk', `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nid,n\r\n`],
    [
      'chunked, closing the connection',
      `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n80\r\nid`,
    ],
  ])('%s', async (_name, answer) => {
    await expect(textOf(await answeringRaw(answer))).rejects.toMatchObject({ code: 'SourceTruncated' });
  });

  test('gzip that ends too early, by header and by magic bytes', async () => {
    const cut = gzip.subarray(0, gzip.length - 12);
    for (const encoding of ['gzip', 'identity']) {
      const headers = { 'content-encoding': encoding };
      await expect(textOf(await answering(200, headers, cut))).rejects.toMatchObject({
        code: 'SourceTruncated',
      });
    }
  });

  test('a compressed body whose connection breaks', async () => {
    const base = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': gzip.length });
      response.write(gzip.subarray(0, 40), () => setTimeout(() => response.destroy(), 50));
    });
    await expect(textOf(base)).rejects.toMatchObject({ code: 'SourceTruncated' });
  });
});

describe('compression', () => {
  test.each([
    ['gzip', gzipSync(CSV)],
    ['x-gzip', gzipSync(CSV)],
    ['deflate', deflateSync(CSV)],
    ['deflate', deflateRawSync(CSV)],
    ['br', brotliCompressSync(CSV)],
    ['gzip, br', brotliCompressSync(gzipSync(CSV))],
    ['identity', Buffer.from(CSV)],
    ['identity', gzipSync(CSV)],
    ['gzip', gzipSync(gzipSync(CSV))],
  ])('%s is undone (%#)', async (encoding, body) => {
    expect(await textOf(await answering(200, { 'content-encoding': encoding }, body))).toBe(CSV);
  });

  test('magic bytes are seen even when the first chunk is a single byte', async () => {
    const gzip = gzipSync(CSV);
    const base = await serve((_request, response) => {
      response.write(gzip.subarray(0, 1), () => setTimeout(() => response.end(gzip.subarray(1)), 20));
    });
    expect(await textOf(base)).toBe(CSV);
  });

  test('a body that is not what its header says, or has an unknown encoding, is FileUnreadable', async () => {
    for (const encoding of ['gzip', 'br', 'zstd']) {
      const base = await answering(200, { 'content-encoding': encoding }, CSV);
      await expect(textOf(base)).rejects.toMatchObject({
        code: 'FileUnreadable',
        message: expect.stringContaining(encoding),
      });
    }
  });
});

describe('redirects', () => {
  function redirecting(target: (request: IncomingMessage) => string | null, seen: IncomingMessage[] = []) {
    return serve((request: IncomingMessage, response: ServerResponse) => {
      seen.push(request);
      const location = target(request);
      if (location === null) response.end(CSV);
      else response.writeHead(302, { location }).end('moved');
    });
  }

  test('five are followed, relative ones too', async () => {
    const step = ({ url = '' }: IncomingMessage) => Number(url.slice(1));
    const base = await redirecting((request) => (step(request) < 5 ? `/${step(request) + 1}` : null));
    expect(await textOf(`${base}/0`)).toBe(CSV);
  });

  test('a sixth and a loop are SourceRedirectLoop', async () => {
    const steps: IncomingMessage[] = [];
    const endless = await redirecting(({ url = '' }) => `${url}x`, steps);
    await expect(fetchFrom(endless)).rejects.toMatchObject({ code: 'SourceRedirectLoop' });
    expect(steps).toHaveLength(6);
    const seen: IncomingMessage[] = [];
    const loop = await redirecting(({ url }) => (url === '/a' ? '/b' : '/a'), seen);
    await expect(fetchFrom(`${loop}/a`)).rejects.toMatchObject({ code: 'SourceRedirectLoop' });
    expect(seen).toHaveLength(2);
  });

  test('credentials stay with the host they were meant for', async () => {
    const seen: IncomingMessage[] = [];
    const other = await redirecting(() => null, seen);
    const first = await redirecting(({ url }) => (url === '/b' ? `${other}/c` : '/b'), seen);
    const headers = { 'x-api-key': 'key' };
    await agent.close();
    agent = createAgent({ privateRedirects: 'allowed' });
    expect(await textOf(`${first.replace('//', '//ann:p%40ss@')}/a`, { headers })).toBe(CSV);
    const basic = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
    expect(
      seen.map((request) => [request.url, request.headers.authorization, request.headers['x-api-key']]),
    ).toEqual([
      ['/a', basic, 'key'],
      ['/b', basic, 'key'],
      ['/c', undefined, undefined],
    ]);
  });

  test('a redirect to another server of the own network is refused, and says what allows it', async () => {
    const seen: IncomingMessage[] = [];
    const inside = await redirecting(() => null, seen);
    for (const target of [inside, inside.replace('127.0.0.1', 'localhost'), 'http://[::ffff:127.0.0.1]:1/']) {
      await expect(fetchFrom(await redirecting(() => target))).rejects.toMatchObject({
        code: 'SourceRefused',
        message: expect.stringContaining('DURASYNC_ALLOW_PRIVATE_REDIRECTS'),
      });
    }
    expect(seen).toEqual([]);
  });

  test('a redirect to the metadata of a cloud is refused even where private ones are allowed', async () => {
    await agent.close();
    agent = createAgent({ privateRedirects: 'allowed' });
    const base = await redirecting(() => 'http://169.254.169.254/latest/meta-data/');
    await expect(fetchFrom(base)).rejects.toMatchObject({ code: 'SourceRefused' });
  });

  test('a redirect to something that is not http is SourceRefused', async () => {
    const base = await redirecting(() => 'file:///etc/passwd');
    await expect(fetchFrom(base)).rejects.toMatchObject({ code: 'SourceRefused' });
  });
});

describe('aborting', () => {
  const reason = new Error('cancelled by the run');

  test.each(['', 'gzip'])('ends a waiting request and a waiting body at once (%s)', async (encoding) => {
    const gzip = gzipSync(CSV);
    const base = await serve(({ url }, response) => {
      if (url === '/slow') return;
      response.writeHead(200, encoding === '' ? {} : { 'content-encoding': encoding });
      response.write(encoding === '' ? CSV : gzip.subarray(0, 20));
    });
    for (const path of ['/slow', '/body']) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 100);
      const startedAt = performance.now();
      await expect(textOf(`${base}${path}`, { signal: controller.signal })).rejects.toBe(reason);
      expect(performance.now() - startedAt).toBeLessThan(1000);
    }
  });

  test('a signal that was aborted before makes no request', async () => {
    const base = await answering(200, {}, CSV);
    await expect(fetchFrom(base, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
