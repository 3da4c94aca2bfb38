import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { demoSettings } from './demo-settings.ts';
import { DEMO_SOURCES } from './demo-sources.ts';

export interface DemoSourceServerOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The day decides what the exports hold. */
  readonly now: () => Date;
}

export interface DemoSourceServer {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  /** The environment variables that point the syncs at this server. */
  readonly settings: Record<string, string>;
  /** Ends open downloads and stops listening. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Serves made-up data for every sync over HTTP, in the formats of the real sources.
 *
 * @throws the error of `listen`, such as EADDRINUSE with the address that is taken
 */
export async function startDemoSourceServer(options: DemoSourceServerOptions): Promise<DemoSourceServer> {
  const { host = '127.0.0.1', port, now } = options;
  const app = new Hono();
  for (const source of DEMO_SOURCES) source.mount(app, now);
  app.get('/', (context) => context.html(overview(demoSettings(new URL(context.req.url).origin))));

  const server = createServer(getRequestListener(app.fetch));
  server.listen(port, host);
  await once(server, 'listening');
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;

  let closed: Promise<void> | undefined;
  return {
    url,
    settings: demoSettings(url),
    close: () =>
      (closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      })),
  };
}

const overview = (settings: Record<string, string>) =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Durasync demo data</title>
      </head>
      <body>
        <h1>Durasync demo data</h1>
        <p>Everything here is made up. These are the demo sources, with the settings that name them:</p>
        <ul>
          ${Object.entries(settings).map(
            ([name, value]) =>
              html`<li>${name}: ${URL.canParse(value) ? html`<a href="${value}">${value}</a>` : value}</li>`,
          )}
        </ul>
      </body>
    </html>`;
