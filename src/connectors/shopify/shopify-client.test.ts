import { Agent } from 'undici';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyShop, startFakeShopify } from '../../../test/support/fake-shopify.ts';
import type { FakeShop, FakeShopify } from '../../../test/support/fake-shopify.ts';
import {
  fakeCustomer,
  fakeInventoryItem,
  fakeOrder,
  fakeProduct,
  minuteOf,
} from '../../../test/support/fake-shopify-records.ts';
import type { RejectedRecord, ShopDataType, ShopRecord } from '../shop/shop-client.ts';
import { createShopifyClient } from './shopify-client.ts';

const DOMAIN = 'one.myshopify.com';
const http = new Agent();
afterAll(() => http.destroy());

let shop: FakeShop;
let fake: FakeShopify;
beforeEach(async () => {
  shop = emptyShop({ name: 'Shop One', bucket: { maximumAvailable: 1e6, restoreRate: 1000 } });
  fake = await startFakeShopify({ [DOMAIN]: shop });
});
afterEach(() => fake.close());

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const signal = () => new AbortController().signal;
const open = () =>
  createShopifyClient({ shopDomain: DOMAIN, accessToken: shop.accessToken, baseUrl: fake.url, http });

async function readAll(dataType: ShopDataType, since: string | null = null, start: string | null = null) {
  const client = open();
  const records: ShopRecord[] = [];
  const rejected: RejectedRecord[] = [];
  let cursor = start;
  do {
    const page = await client.fetchPage(dataType, since, cursor, signal());
    records.push(...page.records);
    rejected.push(...page.rejected);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return { records, rejected, ids: records.map(({ externalId }) => externalId) };
}

test('the connection test gives the name of the shop', async () => {
  expect(await open().testConnection(signal())).toEqual({ name: 'Shop One' });
  expect(fake.requests).toMatchObject([
    { shopDomain: DOMAIN, accessToken: shop.accessToken, operation: 'Shop' },
  ]);
});

test.each([
  ['orders', (n: number) => fakeOrder(n)],
  ['products', (n: number) => fakeProduct(n)],
  ['customers', (n: number) => fakeCustomer(n)],
] as const)(
  'all pages of %s are read, each record once, in the order of their changes',
  async (dataType, make) => {
    shop[dataType] = numbers(1, 230).map(make).reverse();
    const { ids, rejected } = await readAll(dataType);
    expect(ids).toEqual(numbers(1, 230).map(String));
    expect(rejected).toEqual([]);
    expect(fake.requests.length).toBeGreaterThan(2);
  },
);

test('a shop without records gives one empty page', async () => {
  for (const dataType of open().dataTypes) {
    const page = await open().fetchPage(dataType, null, null, signal());
    expect(page).toEqual({ records: [], rejected: [], nextCursor: null });
  }
});

test('only records changed at or after the given time are asked for', async () => {
  shop.orders = numbers(1, 40).map((n) => fakeOrder(n));
  expect((await readAll('orders', minuteOf(38))).ids).toEqual(['38', '39', '40']);
  expect(fake.requests[0]?.variables).toMatchObject({ filter: `updated_at:>='${minuteOf(38)}'` });
  // Parts of a second are not lost by rounding up.
  expect((await readAll('orders', minuteOf(39).replace('Z', '.900+00:00'))).ids).toEqual(['39', '40']);
});

test('another client goes on at a cursor without reading a finished page again', async () => {
  shop.customers = numbers(1, 350).map((n) => fakeCustomer(n));
  const first = await open().fetchPage('customers', null, null, signal());
  const second = await open().fetchPage('customers', null, first.nextCursor, signal());
  const rest = await readAll('customers', null, second.nextCursor);
  expect([...first.records, ...second.records].map(({ externalId }) => externalId).concat(rest.ids)).toEqual(
    numbers(1, 350).map(String),
  );
  expect(fake.requests).toHaveLength(4);
});

test('a record keeps everything the shop says, its money as text', async () => {
  shop.orders = [fakeOrder(7, 2, { updatedAt: '2026-11-02T10:00:00+02:00' })];
  const { records } = await readAll('orders');
  expect(records).toMatchObject([
    {
      externalId: '7',
      sourceUpdatedAt: '2026-11-02T08:00:00.000Z',
      payload: {
        id: 'gid://shopify/Order/7',
        name: '#7',
        totalPriceSet: { shopMoney: { amount: '19.90', currencyCode: 'USD' } },
        lineItems: [{ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-2' }],
      },
    },
  ]);
});

describe('a list inside a record that is longer than its first page', () => {
  const linesOf = (record: ShopRecord) =>
    (record.payload['lineItems'] as { id: string }[]).map(({ id }) => Number(id.split('/').at(-1)) % 1000);

  test('is read to its end', async () => {
    shop.orders = [fakeOrder(1, 5), fakeOrder(2, 6), fakeOrder(3, 50), fakeOrder(4, 173), fakeOrder(5, 0)];
    shop.products = [fakeProduct(1, 10), fakeProduct(2, 230)];
    shop.inventoryItems = [fakeInventoryItem(1, 4), fakeInventoryItem(2, 90)];
    const { records } = await readAll('orders');
    const lines = Object.fromEntries(records.map((record) => [record.externalId, linesOf(record)]));
    expect(lines).toEqual({
      1: numbers(1, 5),
      2: numbers(1, 6),
      3: numbers(1, 50),
      4: numbers(1, 173),
      5: [],
    });
    const variants = (await readAll('products')).records.map(
      ({ payload }) => (payload['variants'] as []).length,
    );
    expect(variants).toEqual([10, 230]);
    expect(new Set((await readAll('inventory')).ids).size).toBe(94);
  });

  test('is not read again when another client goes on after it', async () => {
    shop.orders = [...numbers(1, 3).map((n) => fakeOrder(n, 60)), ...numbers(4, 20).map((n) => fakeOrder(n))];
    const first = await open().fetchPage('orders', null, null, signal());
    expect(first.records).toHaveLength(12);
    const second = await open().fetchPage('orders', null, first.nextCursor, signal());
    expect(second.records.map(({ externalId }) => externalId)).toEqual(['1']);
    const rest = await readAll('orders', null, second.nextCursor);
    expect(rest.ids).toEqual(['2', '3', '16', '17', '18', '19', '20']);
    const asked = fake.requests.map(({ operation, variables }) => [operation, variables['id']].join(' '));
    const order = (n: number) => `Order gid://shopify/Order/${n}`;
    expect(asked).toEqual(['Orders ', ...[1, 1, 2, 2, 3, 3].map(order), 'Orders ']);
  });

  test('costs nothing but itself when its record is deleted in between', async () => {
    shop.orders = [fakeOrder(1, 60), fakeOrder(2)];
    const first = await open().fetchPage('orders', null, null, signal());
    shop.orders = [fakeOrder(2)];
    const second = await open().fetchPage('orders', null, first.nextCursor, signal());
    expect(second).toEqual({ records: [], rejected: [], nextCursor: null });
  });
});

describe('inventory', () => {
  test('gives one record for each item at each location', async () => {
    shop.inventoryItems = [fakeInventoryItem(1001, 2), fakeInventoryItem(1002, 0)];
    const { records } = await readAll('inventory');
    expect(records.map(({ externalId }) => externalId)).toEqual(['1001:1', '1001:2']);
    expect(records[1]?.payload).toMatchObject({
      inventoryItemId: 'gid://shopify/InventoryItem/1001',
      sku: 'SKU-1001',
      location: { id: 'gid://shopify/Location/2', name: 'Store 2' },
      quantities: { available: 1001, on_hand: 1002, committed: 1003, incoming: 1004, reserved: 1005 },
    });
  });

  test('leaves out levels that did not change, and keeps those whose item did', async () => {
    shop.inventoryItems = [
      fakeInventoryItem(1),
      fakeInventoryItem(2),
      fakeInventoryItem(3, 1, { updatedAt: '2026-12-01T00:00:00Z' }),
      fakeInventoryItem(90),
    ];
    const { records, ids } = await readAll('inventory', minuteOf(2));
    expect(ids).toEqual(['2:1', '3:1', '90:1']);
    expect(records[1]?.sourceUpdatedAt).toBe('2026-12-01T00:00:00.000Z');
  });
});

describe('records that cannot be kept', () => {
  const page = (field: string, nodes: unknown[]) => ({
    body: { data: { [field]: { nodes, pageInfo: { hasNextPage: false, endCursor: null } } } },
  });
  const list = (nodes: unknown[] = []) => ({ nodes, pageInfo: { hasNextPage: false, endCursor: null } });

  test('an order without an id costs only that order', async () => {
    const odd = { id: 'gid://shopify/Order/', name: '#odd', lineItems: list() };
    const nodes = [
      { name: '#none', lineItems: list() },
      { id: 'gid://shopify/Order/2', lineItems: list() },
      odd,
    ];
    fake.script.set(1, page('orders', nodes));
    const { records, rejected } = await open().fetchPage('orders', null, null, signal());
    expect(records).toMatchObject([{ externalId: '2', sourceUpdatedAt: null }]);
    expect(rejected).toMatchObject([
      { reason: 'order without an id', raw: expect.stringContaining('#none') },
      { reason: 'order without an id', raw: expect.stringContaining('#odd') },
    ]);
  });

  test('an inventory level without a location costs only that level', async () => {
    const id = 'gid://shopify/InventoryItem/5';
    const good = {
      location: { id: 'gid://shopify/Location/1' },
      quantities: [{ name: 'available', quantity: 3 }],
    };
    const nodes = [{ inventoryLevels: list() }, { id, inventoryLevels: list([{ location: null }, good]) }];
    fake.script.set(1, page('inventoryItems', nodes));
    const { records, rejected } = await open().fetchPage('inventory', null, null, signal());
    expect(records).toMatchObject([{ externalId: '5:1', payload: { quantities: { available: 3 } } }]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'inventory item without an id',
      'inventory level without a location or quantities',
    ]);
  });
});
