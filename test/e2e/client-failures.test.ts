import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { addCredential } from '../../src/db/clients.ts';
import { connectionOf, outcomeOf, syncNow } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import type { FakeShop } from '../support/fake-shopify.ts';
import { fakeCustomer, fakeOrder } from '../support/fake-shopify-records.ts';
import { type GateRule, type ShopGate, startShopGate } from '../support/shop-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

const MINUTE_MS = 60_000;
const LAST = { hasNextPage: false, endCursor: null };
const commerce = await startCommerceHarness();
let gate: ShopGate;
beforeAll(async () => {
  gate = await startShopGate(commerce.shopify.url);
  commerce.env['SHOPIFY_BASE_URL'] = gate.url;
});
afterEach(() => gate.rules.clear());

const several = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n + 1));

let last = 0;

/** A client that is not due by itself, with one order and 250 customers, and its shop. */
async function open(rule?: GateRule) {
  const clientId = `client-${(last += 1)}`;
  const domain = `${clientId}.myshopify.com`;
  const shop: Partial<FakeShop> = {
    accessToken: `shpat_${clientId}`,
    orders: [fakeOrder(1)],
    customers: several(250, (n) => fakeCustomer(n)),
    bucket: { maximumAvailable: 20_000, restoreRate: 10_000 },
  };
  const credentialId = await commerce.addShop(clientId, shop);
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET due_at = now() + '1 day', next_sync_at = now() + '1 day'
     WHERE credential_id = '${credentialId}'`,
  );
  if (rule) gate.rules.set(domain, rule);
  return {
    clientId,
    credentialId,
    domain,
    shop: commerce.shopify.shops.get(domain) as FakeShop,
    sync: () => syncNow(commerce, clientId),
    connection: () => connectionOf(commerce, credentialId),
    customers: async () =>
      (
        await commerce.rows(
          `SELECT 1 FROM client_data WHERE client_id = '${clientId}' AND data_type = 'customers'`,
        )
      ).length,
  };
}

/** A shop that says this about customers, the first `times` times. */
const customersSay =
  (answer: ReturnType<GateRule>, times = Infinity): GateRule =>
  ({ operation, nth }) =>
    operation === 'Customers' && nth <= times ? answer : undefined;

describe('a connection that is not let in', () => {
  test.each([
    [401, { errors: '[API] Invalid API key or access token' }, /access token is refused.*HTTP 401/],
    [403, { errors: 'Forbidden' }, /may not use this shop.*HTTP 403/],
    [404, { errors: 'Not Found' }, /no such shop/],
    [402, { errors: 'Unavailable Shop' }, /frozen/],
  ])(
    'with %i shows why, is tried again in an hour, and works once it is mended',
    async (status, body, message) => {
      const { sync, connection, domain, customers } = await open(() => ({ status, body }));
      const { result, run } = await sync();
      expect(run?.status).toBe('failed');
      expect(result).toMatchObject({ success: false, records_stored: 0, data_types_synced: [] });
      expect(result['error_message']).toMatch(message);
      const shown = await connection();
      expect(shown).toMatchObject({
        status: 'error',
        error_message: expect.stringMatching(message),
        last_sync_at: null,
      });
      const waitMs = (shown['next_sync_at'] as Date).getTime() - Date.now();
      expect(waitMs).toBeGreaterThan(59 * MINUTE_MS);
      expect(waitMs).toBeLessThanOrEqual(60 * MINUTE_MS);
      // One question tells, for all kinds of records.
      expect(gate.requestsTo(domain).map(({ operation }) => operation)).toEqual(['Shop']);
      expect(run?.tables.map(({ error }) => error)).toEqual(Array(4).fill(run?.error_message));
      gate.rules.delete(domain);
      expect((await sync()).result).toMatchObject({ success: true, records_stored: 251 });
      expect(await connection()).toMatchObject({ status: 'connected', error_message: null });
      expect(await customers()).toBe(250);
    },
  );

  test('because its token was revoked by the shop fails in the same way, for real', async () => {
    const { sync, shop } = await open();
    shop.accessToken = 'shpat_another';
    expect((await sync()).result['error_message']).toMatch(/access token is refused/);
  });
});

describe('a shop that has trouble for a moment loses nothing', () => {
  test.each([
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '2' }, body: 'slow down' }, 1, 2_000],
    ['429 without Retry-After', { status: 429, body: 'slow down' }, 2, 1_000],
    ['500', { status: 500, body: 'oops' }, 2, 1_000],
    ['a web page instead of an answer', { status: 200, body: '<html>' }, 1, 500],
    [
      'a GraphQL error with partial data',
      {
        body: {
          data: { customers: { nodes: [fakeCustomer(1)], pageInfo: LAST } },
          errors: [{ message: 'half' }],
        },
      },
      1,
      500,
    ],
    [
      'THROTTLED',
      { body: { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] } },
      1,
      900,
    ],
  ])('%s', async (_name, answer, times, waitAtLeastMs) => {
    const { sync, customers, connection } = await open(customersSay(answer, times));
    const startedAt = performance.now();
    expect((await sync()).result).toMatchObject({ success: true, records_stored: 251, error_message: null });
    expect(performance.now() - startedAt).toBeGreaterThan(waitAtLeastMs);
    expect(await customers()).toBe(250);
    expect((await connection())['status']).toBe('connected');
  });
});

describe('a shop that stays wrong about one kind of record costs that kind alone', () => {
  test.each([
    ['500s for ever', { status: 500, body: 'oops' }, /500/, 4],
    ['429s for ever that name no wait', { status: 429, body: 'slow' }, /429/, 4],
    [
      '429s that ask for a wait beyond the end of the run',
      { status: 429, headers: { 'retry-after': '86400' }, body: 'slow' },
      /429.*wait of 1440 minutes.*would outlast this run/,
      1,
    ],
    [
      'a page that repeats its cursor',
      {
        body: {
          data: { customers: { nodes: [fakeCustomer(1)], pageInfo: { hasNextPage: true, endCursor: 'x' } } },
        },
      },
      /never end/,
      2,
    ],
    [
      'a GraphQL error with partial data, always',
      {
        body: {
          data: { customers: { nodes: [fakeCustomer(1)], pageInfo: LAST } },
          errors: [{ message: 'half' }],
        },
      },
      /part of a page.*half/,
      4,
    ],
    ['an answer in another form', { body: { data: { customers: [] } } }, /not in the form/, 1],
  ])('%s', async (_name, answer, message, requests) => {
    const { sync, customers, connection, domain } = await open(customersSay(answer));
    const { result, run } = await sync();
    expect(run).toMatchObject({ status: 'completed_with_errors', success_count: 3, failure_count: 1 });
    expect(result).toMatchObject({
      success: false,
      records_stored: 1,
      data_types_synced: ['inventory', 'orders', 'products'],
      error_message: expect.stringMatching(message),
    });
    expect(await customers()).toBe(0);
    expect(gate.requestsTo(domain).filter(({ operation }) => operation === 'Customers')).toHaveLength(
      requests,
    );
    expect(await connection()).toMatchObject({
      status: 'connected',
      error_message: expect.stringMatching(message),
    });
    gate.rules.delete(domain);
    expect((await sync()).result).toMatchObject({ success: true, records_stored: 250 });
  });
});

test('a client whose shop never answers delays no other', async () => {
  const hanging = await open(() => 'hang');
  await commerce.clients.requestSync(hanging.clientId, {});
  await waitUntil('the shop is asked', () => gate.requestsTo(hanging.domain).length === 1);
  const others = await Promise.all(several(5, () => open()));
  const startedAt = performance.now();
  const runs = await Promise.all(others.map(({ sync }) => sync()));
  expect(runs.map(({ result }) => result['success'])).toEqual([true, true, true, true, true]);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  const { credentials } = (await commerce.clients.status(hanging.clientId)) ?? { credentials: [] };
  expect(credentials[0]?.running).toMatch(/^client\//);
});

describe('a connection that changes while its run goes on', () => {
  /** Holds the customers until they are let go. */
  async function held() {
    let answer: ReturnType<GateRule> = { status: 500, body: 'not yet' };
    const opened = await open(({ operation }) => (operation === 'Customers' ? answer : undefined));
    await commerce.clients.start([opened.clientId]);
    const { workflowId } = await commerce.clients.requestSync(opened.clientId, {});
    await waitUntil('customers are asked for', () =>
      gate.requestsTo(opened.domain).some(({ operation }) => operation === 'Customers'),
    );
    return { ...opened, workflowId, release: () => void (answer = undefined) };
  }

  test('takes new secrets and a new frequency without a restart', async () => {
    const { clientId, credentialId, workflowId, release, shop, domain, sync, connection } = await held();
    shop.accessToken = 'shpat_new_one';
    const credentials = JSON.stringify({ shop_domain: domain, access_token: 'shpat_new_one' });
    const edited = {
      clientId,
      platform: 'shopify',
      connectionName: 'main',
      credentials,
      frequencyHours: 2,
    } as const;
    expect(await addCredential(commerce.database.db, commerce.keys, edited)).toBe(credentialId);
    await commerce.clients.reload([clientId]);
    release();
    // The step that is tried again reads the connection again, so it has the new token already.
    expect((await outcomeOf(commerce, workflowId)).result).toMatchObject({ success: true });
    expect((await sync()).result).toMatchObject({ success: true });
    const status = await commerce.until(clientId, (s) => s.credentials[0]?.frequencyHours === 2);
    expect(Date.parse(status.credentials[0]?.nextSyncAt ?? '')).toBe(
      (await connection())['next_sync_at']?.valueOf(),
    );
    const tokens = commerce.shopify.requests.filter((each) => each.shopDomain === domain);
    expect(tokens.at(-1)?.accessToken).toBe('shpat_new_one');
  });

  test('may be removed: the run ends, and its client goes on without it', async () => {
    const { clientId, credentialId, workflowId, release } = await held();
    await commerce.rows(
      `DELETE FROM commerce.client_api_credentials WHERE credential_id = '${credentialId}'`,
    );
    release();
    await commerce.client.workflow.getHandle(workflowId).result();
    const status = await commerce.until(clientId, ({ credentials }) => credentials.length === 0);
    expect(status.runsSinceStart).toBe(1);
    await expect(commerce.clients.requestSync(clientId, {})).rejects.toMatchObject({
      cause: { message: `Client ${clientId} has no connection that could sync.` },
    });
  });

  test('may be paused: the run ends, and the next one waits', async () => {
    const { clientId, workflowId, release } = await held();
    await commerce.client.workflow.getHandle(`client/${clientId}`).signal('pause', { reason: 'a break' });
    await commerce.until(clientId, ({ pausedReason }) => pausedReason === 'a break');
    release();
    expect((await outcomeOf(commerce, workflowId)).result).toMatchObject({ success: true });
    await expect(commerce.clients.requestSync(clientId, {})).rejects.toMatchObject({
      cause: { message: `Client ${clientId} is paused: a break` },
    });
  });
});

test('a secret that is sealed with an unknown key fails its runs, naming the key, until the key is back', async () => {
  const { credentialId, sync, connection } = await open();
  const sealed = String((await connection())['credentials']);
  const store = (text: string) =>
    commerce.rows(
      `UPDATE commerce.client_api_credentials SET credentials = '${text}' WHERE credential_id = '${credentialId}'`,
    );
  await store(sealed.replace(/^k1:/, 'k0:'));
  const { result } = await sync();
  expect(result).toMatchObject({ success: false, error_message: expect.stringContaining(`the key 'k0'`) });
  expect(await connection()).toMatchObject({ status: 'error' });
  await store(`${sealed.slice(0, -4)}AAA=`);
  expect((await sync()).result['error_message']).toMatch(/was altered/);
  await store(sealed);
  expect((await sync()).result).toMatchObject({ success: true });
});

test('a database that was edited by hand to hold no JSON does not show it', async () => {
  const { credentialId, sync } = await open();
  const secret = commerce.keys.seal('shpat_not_json', credentialId);
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET credentials = '${secret}' WHERE credential_id = '${credentialId}'`,
  );
  const { result } = await sync();
  expect(result).toMatchObject({ success: false });
  expect(String(result['error_message'])).not.toContain('shpat_not_json');
});
