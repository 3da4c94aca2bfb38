import { inspect } from 'node:util';
import { Agent } from 'undici';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyShop, startFakeShopify } from '../../../test/support/fake-shopify.ts';
import type { FakeShopify, ScriptedAnswer } from '../../../test/support/fake-shopify.ts';
import { fakeCustomer, fakeOrder } from '../../../test/support/fake-shopify-records.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { createShopifyClient } from './shopify-client.ts';
import type { ShopifyClientOptions } from './shopify-client.ts';

const DOMAIN = 'one.myshopify.com';
const TOKEN = 'shpat_5ecret5ecret5ecret';
const http = new Agent();
afterAll(() => http.destroy());

let fake: FakeShopify;
beforeEach(async () => {
  fake = await startFakeShopify({ [DOMAIN]: emptyShop({ accessToken: TOKEN }) });
});
afterEach(() => fake.close());

const signal = () => new AbortController().signal;

const open = (changes: Partial<ShopifyClientOptions> = {}) =>
  createShopifyClient({ shopDomain: DOMAIN, accessToken: TOKEN, baseUrl: fake.url, http, ...changes });

const orders = (changes: Partial<ShopifyClientOptions> = {}) =>
  open(changes).fetchPage('orders', null, null, signal());

/** The failure, after making sure that nothing in it or behind it shows the token. */
async function failureOf(asking: () => Promise<unknown>, token = TOKEN): Promise<SyncFailure> {
  const error = await Promise.resolve()
    .then(asking)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof SyncFailure)) throw new Error(`expected a SyncFailure, got ${inspect(error)}`);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(token);
  return error;
}

async function failureAfter(answer: ScriptedAnswer): Promise<SyncFailure> {
  fake.script.set('every', answer);
  return failureOf(() => orders());
}

test.each([
  [401, { errors: `[API] Invalid API key or access token ${TOKEN}` }, 'SourceUnauthorized', '(token)'],
  [402, { errors: 'Unavailable Shop' }, 'SourceRefused', 'Unavailable Shop'],
  [403, { errors: 'Forbidden' }, 'SourceUnauthorized', 'access scopes'],
  [404, { errors: 'Not Found' }, 'SourceNotFound', 'check shop_domain'],
  [404, '<html>no shop here</html>', 'SourceNotFound', 'check shop_domain'],
  [423, { errors: { base: ['locked'] } }, 'SourceRefused', 'locked'],
  [430, '', 'SourceRefused', '430'],
  [400, { errors: 'bad' }, 'SourceRefused', '400'],
  [500, 'oops', 'SourceUnavailable', '500'],
  [503, '', 'SourceUnavailable', '503'],
  [200, '<html>a password page</html>', 'SourceUnavailable', 'web page'],
  [200, '{"data":', 'SourceUnavailable', 'web page'],
  [200, {}, 'SourceUnavailable', 'without data'],
  [200, { errors: 'refused' }, 'SourceRefused', 'refused'],
  [200, { data: { orders: { list: [] } } }, 'SourceRefused', "'orders'"],
])('status %i with %j is %s', async (status, body, code, text) => {
  const failure = await failureAfter({ status, body });
  expect(failure).toMatchObject({ code, message: expect.stringContaining(text) });
  expect(failure.message).toContain(`Shopify shop ${DOMAIN} (${fake.url})`);
});

test('a redirect is not followed, since the token would go along', async () => {
  const other = await startFakeShopify({ [DOMAIN]: emptyShop({ accessToken: TOKEN }) });
  const failure = await failureAfter({ status: 302, headers: { location: `${other.url}/${DOMAIN}` } });
  expect(failure).toMatchObject({ code: 'SourceRefused', message: expect.stringContaining('redirects') });
  expect(other.requests).toEqual([]);
  await other.close();
});

test('a token the shop does not know is SourceUnauthorized', async () => {
  const failure = await failureOf(() => orders({ accessToken: 'shpat_revoked' }), 'shpat_revoked');
  expect(failure.code).toBe('SourceUnauthorized');
});

test('a domain without a shop is SourceNotFound', async () => {
  const failure = await failureOf(() => orders({ shopDomain: 'other.myshopify.com' }));
  expect(failure).toMatchObject({ code: 'SourceNotFound', message: expect.stringContaining('no such shop') });
});

describe('GraphQL errors', () => {
  const pageInfo = { hasNextPage: false, endCursor: null };
  const half = { orders: { nodes: [fakeOrder(1), null], pageInfo } };

  test.each([
    [null, undefined, 'SourceRefused'],
    [null, 'MAX_COST_EXCEEDED', 'SourceRefused'],
    [null, 'ACCESS_DENIED', 'SourceRefused'],
    [null, 'SHOP_INACTIVE', 'SourceRefused'],
    [null, 'INTERNAL_SERVER_ERROR', 'SourceUnavailable'],
    [half, undefined, 'SourceUnavailable'],
    [half, 'ACCESS_DENIED', 'SourceRefused'],
    [{ orders: { nodes: [], pageInfo } }, 'TIMEOUT', 'SourceUnavailable'],
  ])('data %j with code %s is %s and never a page', async (data, code, expected) => {
    const errors = [{ message: `Something with ${TOKEN} in it`, path: ['orders'], extensions: { code } }];
    const failure = await failureAfter({ body: { data, errors } });
    expect(failure).toMatchObject({
      code: expected,
      message: expect.stringContaining('Something with (token)'),
    });
  });
});

describe('a page that repeats its cursor', () => {
  const page = (endCursor: string | null) => ({
    body: { data: { customers: { nodes: [fakeCustomer(1)], pageInfo: { hasNextPage: true, endCursor } } } },
  });

  test('is SourceRefused and not a loop', async () => {
    fake.script.set('every', page('same'));
    const client = open();
    const first = await client.fetchPage('customers', null, null, signal());
    const failure = await failureOf(() => client.fetchPage('customers', null, first.nextCursor, signal()));
    expect(failure).toMatchObject({ code: 'SourceRefused', message: expect.stringContaining('never end') });
  });

  test('is SourceRefused also when it has no cursor at all', async () => {
    fake.script.set('every', page(null));
    expect((await failureOf(() => open().fetchPage('customers', null, null, signal()))).code).toBe(
      'SourceRefused',
    );
  });

  test('is SourceRefused also inside a record', async () => {
    const lineItems = { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'same' } };
    const order = { ...fakeOrder(1), lineItems };
    fake.script.set(1, {
      body: { data: { orders: { nodes: [order], pageInfo: { hasNextPage: false, endCursor: null } } } },
    });
    fake.script.set('every', { body: { data: { order } } });
    const first = await orders();
    const failure = await failureOf(() => open().fetchPage('orders', null, first.nextCursor, signal()));
    expect(failure.code).toBe('SourceRefused');
    expect(fake.requests).toHaveLength(3);
  });
});

test('a cursor that is not ours is SourceRefused', async () => {
  const failure = await failureOf(() => open().fetchPage('orders', null, 'abc', signal()));
  expect(failure).toMatchObject({ code: 'SourceRefused', message: expect.stringContaining('cursor') });
});

describe('an answer that does not come', () => {
  test('is SourceUnavailable after the time limit, also when only its end is missing', async () => {
    fake.script.set('every', { delayMs: 1_000 });
    expect(await failureOf(() => orders({ timeoutMs: 100 }))).toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('no answer within 0.1 s'),
    });
    const cut = { status: 200, body: '{"data":', headers: { 'content-length': '1000' } };
    fake.script.set('every', cut);
    expect((await failureOf(() => orders({ timeoutMs: 200 }))).code).toBe('SourceUnavailable');
  });

  test('is SourceUnavailable when nobody listens', async () => {
    await fake.close();
    const failure = await failureOf(() => orders());
    expect(failure).toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('connection was refused'),
    });
  });

  test("ends with the caller's own reason when the caller gives up", async () => {
    fake.script.set('every', { delayMs: 1_000 });
    const controller = new AbortController();
    const reason = new Error('the run was cancelled');
    setTimeout(() => controller.abort(reason), 50);
    await expect(open().fetchPage('orders', null, null, controller.signal)).rejects.toBe(reason);
  });
});

describe('settings that cannot be right are SourceNotConfigured', () => {
  test.each([
    '',
    'one',
    'one.example.com',
    'https://one.myshopify.com',
    'one.myshopify.com/admin',
    '-.myshopify.com',
  ])('shop_domain %j without a base address', async (shopDomain) => {
    const failure = await failureOf(async () => open({ shopDomain, baseUrl: undefined }));
    expect(failure).toMatchObject({
      code: 'SourceNotConfigured',
      message: expect.stringContaining('shop_domain'),
    });
  });

  test.each(['../admin', 'one/two', 'one two', 'user@host', 'a..b', TOKEN])(
    'shop_domain %j with a base address',
    async (shopDomain) => {
      expect((await failureOf(async () => open({ shopDomain }))).code).toBe('SourceNotConfigured');
    },
  );

  test('a base address that is not http', async () => {
    for (const baseUrl of ['', 'localhost:1234', 'ftp://host']) {
      const failure = await failureOf(async () => open({ baseUrl }));
      expect(failure).toMatchObject({
        code: 'SourceNotConfigured',
        message: expect.stringContaining('BASE_URL'),
      });
    }
  });

  test('a token that no header can carry', async () => {
    expect((await failureOf(async () => open({ accessToken: `${TOKEN}\n` }))).code).toBe(
      'SourceNotConfigured',
    );
    expect((await failureOf(async () => open({ accessToken: '' }), 'none')).code).toBe('SourceNotConfigured');
  });

  test('but capital letters and a base address with a path are fine', async () => {
    const shop = emptyShop({ accessToken: TOKEN, name: 'Demo' });
    fake.shops.set('shopify/two.myshopify.com', shop);
    const client = open({ shopDomain: ' Two.MyShopify.com ', baseUrl: `${fake.url}/shopify/` });
    expect(await client.testConnection(signal())).toEqual({ name: 'Demo' });
  });
});
