import { Agent } from 'undici';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyShop, startFakeShopify } from '../../../test/support/fake-shopify.ts';
import type { FakeShop, FakeShopify } from '../../../test/support/fake-shopify.ts';
import { fakeCustomer, fakeOrder } from '../../../test/support/fake-shopify-records.ts';
import type { ShopClient, ShopPage } from '../shop/shop-client.ts';
import { createShopifyClient } from './shopify-client.ts';

const DOMAIN = 'one.myshopify.com';
const http = new Agent();
afterAll(() => http.destroy());

let shop: FakeShop;
let fake: FakeShopify;
let client: ShopClient;
beforeEach(async () => {
  shop = emptyShop();
  fake = await startFakeShopify({ [DOMAIN]: shop });
  const { accessToken } = shop;
  client = createShopifyClient({ shopDomain: DOMAIN, accessToken, baseUrl: fake.url, http });
});
afterEach(() => fake.close());

const signal = () => new AbortController().signal;
const customers = (after: ShopPage | null = null, aborting = signal()) =>
  client.fetchPage('customers', null, after?.nextCursor ?? null, aborting);

function fillShop(bucket: FakeShop['bucket']): void {
  shop.bucket = bucket;
  shop.customers = Array.from({ length: 400 }, (_, index) => fakeCustomer(index));
}

describe('before a page', () => {
  test('a short wait lets the bucket fill, so that the shop refuses nothing', async () => {
    fillShop({ maximumAvailable: 600, restoreRate: 600 });
    const startedAt = performance.now();
    let page = await customers();
    for (; page.nextCursor !== null;) page = await customers(page);
    const requests = fake.requests.length;
    expect(requests).toBe(4);
    expect(performance.now() - startedAt).toBeGreaterThan(700);
  });

  test('a long wait is SourceThrottled with that wait, without asking the shop', async () => {
    fillShop({ maximumAvailable: 600, restoreRate: 50 });
    const page = await customers();
    const requests = fake.requests.length;
    await expect(customers(page)).rejects.toMatchObject({
      code: 'SourceThrottled',
      retryAfterMs: expect.closeTo(4_000, -3),
    });
    expect(fake.requests).toHaveLength(requests);
  });

  test('a wait ends with the reason of the caller who gives up', async () => {
    fillShop({ maximumAvailable: 600, restoreRate: 120 });
    const page = await customers();
    const startedAt = performance.now();
    const controller = new AbortController();
    const reason = new Error('the run was cancelled');
    setTimeout(() => controller.abort(reason), 50);
    await expect(customers(page, controller.signal)).rejects.toBe(reason);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('a query of another kind, whose cost is not known yet, is asked at once', async () => {
    fillShop({ maximumAvailable: 600, restoreRate: 50 });
    await customers();
    expect(await client.testConnection(signal())).toEqual({ name: shop.name });
  });
});

test('a long record is waited for longer than a page, since giving up would start it again', async () => {
  shop.bucket = { maximumAvailable: 700, restoreRate: 120 };
  shop.orders = [fakeOrder(1, 120)];
  const first = await client.fetchPage('orders', null, null, signal());
  const startedAt = performance.now();
  const second = await client.fetchPage('orders', null, first.nextCursor, signal());
  expect(performance.now() - startedAt).toBeGreaterThan(2_000);
  expect(second.records).toMatchObject([{ payload: { lineItems: { length: 120 } } }]);
});

describe('a THROTTLED answer', () => {
  const body = (requestedQueryCost: number, currentlyAvailable: number) => ({
    errors: [
      { message: 'Throttled', extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev' } },
    ],
    extensions: {
      cost: {
        requestedQueryCost,
        actualQueryCost: null,
        throttleStatus: { maximumAvailable: 1000.0, currentlyAvailable, restoreRate: 50.0 },
      },
    },
  });

  test.each([
    [200, body(502, 102), {}, 8_000],
    [429, body(502, 102), {}, 8_000],
    [200, { data: null, ...body(502, 102) }, {}, 8_000],
    [200, body(502, 490), {}, 1_000],
    [200, { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] }, {}, 1_000],
    [429, body(502, 102), { 'retry-after': '20' }, 20_000],
    [429, body(502, 102), { 'retry-after': '2.0' }, 8_000],
  ])('with status %i and %j %j asks for a wait of %i + %i ms', async (status, answer, headers, waitMs) => {
    fake.script.set('every', { status, body: answer, headers });
    await expect(customers()).rejects.toMatchObject({ code: 'SourceThrottled', retryAfterMs: waitMs });
  });

  test('comes from a shop whose bucket others have emptied, and the page can be read after the wait', async () => {
    fillShop({ maximumAvailable: 700, restoreRate: 1 });
    const other = createShopifyClient({
      shopDomain: DOMAIN,
      accessToken: shop.accessToken,
      baseUrl: fake.url,
      http,
    });
    await other.fetchPage('customers', null, null, signal());
    await expect(customers()).rejects.toMatchObject({ code: 'SourceThrottled' });
    expect(fake.requests).toHaveLength(2);
    // The second try does not even ask, because the first answer told what the bucket holds.
    await expect(customers()).rejects.toMatchObject({ code: 'SourceThrottled' });
    expect(fake.requests).toHaveLength(2);
  });
});

test.each([
  [{ 'retry-after': '7' }, 7_000],
  [{}, undefined],
])('a 429 without more and the headers %j asks for a wait of %s ms', async (headers, retryAfterMs) => {
  fake.script.set('every', { status: 429, body: 'slow down', headers });
  await expect(customers()).rejects.toMatchObject({ code: 'SourceThrottled', retryAfterMs });
});
