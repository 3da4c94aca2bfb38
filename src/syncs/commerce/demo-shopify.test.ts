import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyShop, startFakeShopify } from '../../../test/support/fake-shopify.ts';
import {
  fakeCustomer,
  fakeInventoryItem,
  fakeOrder,
  fakeProduct,
} from '../../../test/support/fake-shopify-records.ts';
import type { ShopClient, ShopDataType, ShopRecord } from '../../connectors/shop/shop-client.ts';
import { createShopifyClient } from '../../connectors/shopify/shopify-client.ts';
import { DEMO_SHOPS } from './demo-shop-catalogue.ts';
import { shopifyDemo } from './demo-shopify.ts';

const MONDAY = '2026-11-23T02:00:00Z';
const DATA_TYPES = ['orders', 'products', 'customers', 'inventory'] as const;
const http = new Agent();
let now = new Date(MONDAY);
let baseUrl = '';

const app = new Hono();
shopifyDemo.mount(app, () => now);
const server = createServer(getRequestListener(app.fetch));

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  baseUrl = shopifyDemo.settings(url)['SHOPIFY_BASE_URL'] ?? '';
});
afterAll(async () => {
  await http.destroy();
  server.close();
});

const signal = () => new AbortController().signal;
const open = (shopDomain = DEMO_SHOPS[0]?.domain ?? '', accessToken = 'demo-token') =>
  createShopifyClient({ shopDomain, accessToken, baseUrl, http });

async function readAll(client: ShopClient, dataType: ShopDataType, at: string, since: string | null = null) {
  now = new Date(at);
  const records: ShopRecord[] = [];
  let cursor: string | null = null;
  do {
    const page = await client.fetchPage(dataType, since, cursor, signal());
    expect(page.rejected).toEqual([]);
    records.push(...page.records);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return records;
}

describe.each(DEMO_SHOPS)('$name', ({ domain, name }) => {
  test('says that it is a demo', async () => {
    expect(name).toContain('demo');
    expect(await open(domain).testConnection(signal())).toEqual({ name });
  });

  test('has hundreds of orders, dozens of products and customers, each once, and a few long records', async () => {
    const read = async (dataType: ShopDataType) => {
      const records = await readAll(open(domain), dataType, MONDAY);
      expect(new Set(records.map(({ externalId }) => externalId)).size).toBe(records.length);
      return records;
    };
    const orders = await read('orders');
    expect(orders.length).toBeGreaterThan(400);
    expect(
      orders.filter(({ payload }) => (payload['lineItems'] as unknown[]).length === 8).length,
    ).toBeGreaterThan(5);
    const products = await read('products');
    expect(products).toHaveLength(40);
    const variants = products.flatMap(
      ({ payload }) => payload['variants'] as { inventoryItem: { id: string } }[],
    );
    expect(await read('customers')).toHaveLength(120);
    const items = new Set((await read('inventory')).map(({ payload }) => payload['inventoryItemId']));
    expect(items).toEqual(new Set(variants.map(({ inventoryItem }) => inventoryItem.id)));
  });
});

test.each(DATA_TYPES)('the same moment has the same %s, however often they are read', async (dataType) => {
  const first = await readAll(open(), dataType, MONDAY);
  expect(await readAll(open(), dataType, MONDAY)).toEqual(first);
});

test.each([
  ['orders', 30],
  ['products', 15],
  ['customers', 20],
  ['inventory', 1_000],
] as const)('of %s a day changes some, at most %i, and each of them says so', async (dataType, most) => {
  const tuesday = '2026-11-24T02:00:00Z';
  const monday = await readAll(open(), dataType, MONDAY);
  const before = new Map(monday.map((record) => [record.externalId, JSON.stringify(record)]));
  const changed = (await readAll(open(), dataType, tuesday)).filter(
    (record) => JSON.stringify(record) !== before.get(record.externalId),
  );
  const since = await readAll(open(), dataType, tuesday, MONDAY);
  expect(changed.length).toBeGreaterThan(0);
  expect(since.map(({ externalId }) => externalId)).toEqual(
    expect.arrayContaining(changed.map(({ externalId }) => externalId)),
  );
  expect(since.length).toBeLessThan(most);
});

test('records have exactly the fields that a real Admin API gives for the same queries', async () => {
  const domain = 'real.myshopify.com';
  const shop = emptyShop({
    orders: [fakeOrder(1, 6)],
    products: [fakeProduct(1, 11)],
    customers: [fakeCustomer(1)],
    inventoryItems: [fakeInventoryItem(1, 5)],
  });
  const fake = await startFakeShopify({ [domain]: shop });
  const { accessToken } = shop;
  const real = createShopifyClient({ shopDomain: domain, accessToken, baseUrl: fake.url, http });
  for (const dataType of DATA_TYPES) {
    const [wanted] = await readAll(real, dataType, MONDAY);
    for (const { payload } of await readAll(open(), dataType, MONDAY)) {
      expect(fieldsOf(payload), dataType).toEqual(fieldsOf(wanted?.payload ?? {}));
    }
  }
  await fake.close();
});

/** The names of the fields, and of those of the first element of each list. */
function fieldsOf(record: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(record)
    .flatMap(([name, value]) => {
      const first: unknown = Array.isArray(value) ? value[0] : undefined;
      if (typeof first !== 'object' || first === null) return [name];
      return [name, ...Object.keys(first).map((inner) => `${name}.${inner}`)];
    })
    .sort();
}

test('a token that is not a demo token, and a shop that is not a demo shop, are refused', async () => {
  await expect(open(undefined, 'shpat_real').testConnection(signal())).rejects.toMatchObject({
    code: 'SourceUnauthorized',
  });
  await expect(open('my-real-shop.myshopify.com').testConnection(signal())).rejects.toMatchObject({
    code: 'SourceNotFound',
  });
});

test('a query the demo does not know is refused by name', async () => {
  const post = (body: string) =>
    app.request(`/shopify/${DEMO_SHOPS[0]?.domain}/admin/api/2026-07/graphql.json`, {
      method: 'POST',
      headers: { 'x-shopify-access-token': 'demo-1' },
      body,
    });
  const unknown = await post(
    JSON.stringify({ query: 'query Discounts { discounts { id } }', variables: {} }),
  );
  expect(await unknown.json()).toMatchObject({
    errors: [{ message: expect.stringContaining("'Discounts'") }],
  });
  expect((await post('no json')).status).toBe(400);
});
