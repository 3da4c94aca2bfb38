import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Agent } from 'undici';
import { afterAll, expect, test } from 'vitest';
import { idsOf, readAll } from '../../../test/support/amazon-shop.ts';
import { createAmazonClient } from '../../connectors/amazon/amazon-client.ts';
import { createLwaTokenCache } from '../../connectors/amazon/lwa-token-cache.ts';
import type { ShopClient } from '../../connectors/shop/shop-client.ts';
import { amazonDemo } from './demo-amazon.ts';

const http = new Agent();
afterAll(() => http.destroy());

async function demoAt(time: string): Promise<ShopClient> {
  const app = new Hono();
  amazonDemo.mount(app, () => new Date(time));
  const server = createServer(getRequestListener(app.fetch));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => void server.close());
  const settings = amazonDemo.settings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return createAmazonClient({
    credentials: amazonDemo.credentials(),
    spApiBaseUrl: settings['AMAZON_SPAPI_BASE_URL'],
    lwaUrl: settings['AMAZON_LWA_URL'],
    http,
    takeTurn: async () => {},
    tokens: createLwaTokenCache({ now: () => Date.parse(time) }),
    now: () => new Date(time),
  });
}

test('the demo seller shows some hundred orders, some dozen SKUs and their stock, all labelled as demo', async () => {
  const client = await demoAt('2026-11-23T12:00:00Z');
  expect(await client.testConnection(AbortSignal.timeout(5000))).toEqual({ name: 'Durasync demo store' });
  const orders = idsOf(await readAll(client, 'orders'));
  expect(new Set(orders).size).toBe(orders.length);
  expect(orders.length).toBeGreaterThan(300);
  const products = (await readAll(client, 'products')).flatMap(({ records }) => records);
  expect(products).toHaveLength(36);
  for (const { payload } of products) expect(JSON.stringify(payload['catalogItem'])).toContain('Demo ');
  expect(idsOf(await readAll(client, 'inventory'))).toHaveLength(36);
});

test('it is the same at the same time, and a few hours later a few orders are new or have changed', async () => {
  const [before, same, after] = await Promise.all([
    demoAt('2026-11-23T12:00:00Z'),
    demoAt('2026-11-23T12:00:00Z'),
    demoAt('2026-11-23T20:00:00Z'),
  ]);
  expect(await readAll(same, 'orders')).toEqual(await readAll(before, 'orders'));
  const changed = idsOf(await readAll(after, 'orders', '2026-11-23T12:00:00Z'));
  expect(changed.length).toBeGreaterThan(1);
  expect(changed.length).toBeLessThan(20);
});
