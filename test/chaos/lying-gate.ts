import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { request as send } from 'undici';

/** What a source may do instead of answering well. */
export const LIES = ['500', '429', 'cut', 'slow', 'web page', 'repeated', 'reordered'] as const;
type Lie = (typeof LIES)[number];

export interface LyingGate {
  /** The address of a source behind the gate. */
  urlOf(source: string): string;
  /** The next answers of a source are these lies, one after the other. */
  tell(source: string, lies: readonly Lie[]): void;
  /** Forgets the lies that nobody has been told yet. */
  beHonest(): void;
  close(): void;
}

const SLOW_MS = 3_000;

/** Stands before honest sources, by the first part of the path, and lies when it is told to. */
export async function startLyingGate(sources: Readonly<Record<string, string>>): Promise<LyingGate> {
  const pending = new Map<string, Lie[]>();
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, source = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(request.url ?? '') ?? [];
    const lie = pending.get(source)?.shift();
    const body = await buffer(request);
    if (lie === '500') return void response.writeHead(500).end('it broke');
    if (lie === '429') return void response.writeHead(429, { 'retry-after': '1' }).end('{}');
    if (lie === 'web page') {
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const method = request.method === 'POST' ? 'POST' : 'GET';
    const answer = await send(`${sources[source]}${rest}`, {
      method,
      headers: { ...headers, 'accept-encoding': 'identity' },
      body: method === 'POST' ? body : undefined,
    });
    const honest = Buffer.from(await answer.body.arrayBuffer());
    const type = String(answer.headers['content-type'] ?? 'text/plain');
    const text = lie === undefined ? honest : Buffer.from(twist(honest.toString(), type, lie));
    response.writeHead(answer.statusCode, { 'content-type': type, 'content-length': text.length });
    if (lie === 'cut')
      return void response.write(text.subarray(0, text.length / 2), () => response.destroy());
    if (lie === 'slow') {
      response.write(text.subarray(0, text.length / 3));
      await sleep(SLOW_MS);
      return void response.end(text.subarray(text.length / 3));
    }
    response.end(text);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    urlOf: (source) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${source}`,
    tell: (source, lies) => pending.set(source, [...(pending.get(source) ?? []), ...lies]),
    beHonest: () => pending.clear(),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The same rows, some of them twice, or in another order. */
function twist(text: string, contentType: string, lie: Lie): string {
  const change = <Row>(rows: readonly Row[]): Row[] => {
    if (lie === 'repeated') return [...rows, ...rows.slice(0, Math.ceil(rows.length / 4))];
    return lie === 'reordered' ? [...rows].reverse() : [...rows];
  };
  if (contentType.includes('csv')) return `${change(text.trimEnd().split('\n')).join('\n')}\n`;
  // In a list of sales nothing tells a sale shown twice from a second one like it.
  if (text.startsWith('[')) return lie === 'reordered' ? JSON.stringify(JSON.parse(text).toReversed()) : text;
  if (!text.startsWith('{')) return text;
  const parsed = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(withRows(parsed, change));
}

/** Changes the list of records, at `data`, `dataSet.data` or `data.<connection>.nodes`. */
function withRows(
  value: Record<string, unknown>,
  change: (rows: readonly unknown[]) => unknown[],
  depth = 0,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (Array.isArray(each) && (name === 'data' || name === 'nodes')) return [name, change(each)];
      const isDeeper = typeof each === 'object' && each !== null && !Array.isArray(each) && depth < 2;
      return [name, isDeeper ? withRows(each as Record<string, unknown>, change, depth + 1) : each];
    }),
  );
}
