import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Config } from '../config.ts';
import { choosePort, PortTakenError, type PortWish, withFreePort } from '../free-port.ts';
import type { ApiEnv } from './api.ts';

export interface HttpApiOptions {
  readonly app: Pick<Hono<ApiEnv>, 'fetch'>;
  readonly config: Pick<Config, 'DURASYNC_HOST' | 'DURASYNC_PORT'>;
  /** What is served, and the variable that fixes its port; the HTTP API when absent. */
  readonly use?: { readonly name: string; readonly variable: string };
}

export interface HttpApi {
  /** Where this machine reaches it, such as http://127.0.0.1:8080. */
  readonly url: string;
  /** Takes no new requests and gives open ones a moment to end. Safe to repeat. */
  close(): Promise<void>;
}

const API_USE = { name: 'the HTTP API', variable: 'DURASYNC_PORT' };
const PORT = 8080;
const CLOSE_MS = 3_000;

function portWish(
  { DURASYNC_HOST: host, DURASYNC_PORT: fixed }: HttpApiOptions['config'],
  { name, variable } = API_USE,
): PortWish {
  const fixedBy = fixed === undefined ? null : { variable, port: fixed };
  return { use: name, preferred: PORT, host, fixedBy };
}

/**
 * Looks whether the API could be served, for those who start slower things first.
 *
 * @throws PortTakenError when DURASYNC_PORT is taken
 */
export async function checkApiPort(config: HttpApiOptions['config']): Promise<void> {
  await choosePort(portWish(config));
}

/**
 * Serves the API on DURASYNC_PORT, else on 8080 or a free port near it.
 *
 * @throws PortTakenError when DURASYNC_PORT is taken
 */
export function startHttpApi({ app, config, use = API_USE }: HttpApiOptions): Promise<HttpApi> {
  const host = config.DURASYNC_HOST;
  return withFreePort(portWish(config, use), async (port) => {
    const server = createAdaptorServer({ fetch: app.fetch });
    const streams = trackStreams(server);
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening').catch((error: unknown) => {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      throw taken ? new PortTakenError(use.name, port, null) : error;
    });
    return { url: `http://${reachable(host)}:${port}`, close: () => close(server, streams) };
  });
}

/** An address to open, for one that only says where to listen. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

type Server = ReturnType<typeof createAdaptorServer>;

/** Streams of events that are open. */
function trackStreams(server: Server): ReadonlySet<ServerResponse> {
  const open = new Set<ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!request.headers.accept?.includes('text/event-stream')) return;
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  return open;
}

async function close(server: Server, streams: ReadonlySet<ServerResponse>): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  // They have no end of their own; their readers come back when the server does.
  for (const stream of streams) stream.destroy();
  const timer = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}
