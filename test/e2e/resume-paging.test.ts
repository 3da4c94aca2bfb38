import { beforeAll, describe, expect, test } from 'vitest';
import { many, order } from '../support/amazon-shop.ts';
import { commerceProcesses } from '../support/commerce-processes.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startFakeAmazon } from '../support/fake-amazon.ts';
import { emptyShop, startFakeShopify } from '../support/fake-shopify.ts';
import { fakeOrder } from '../support/fake-shopify-records.ts';
import { holdRows } from '../support/hold-point.ts';
import { waitUntil } from '../support/wait-until.ts';

const WAIT_MS = 90_000;
const DOMAIN = 'paging.myshopify.com';
const TOKEN = 'shpat_paging';
/** Seven pages of 15. */
const SHOPIFY_ORDERS = 100;
/** Seven pages of 100. */
const AMAZON_ORDERS = 650;
const HELD_PAGE = 4;
/** Long enough that a page is committed before the next one is there. */
const PAGE_MS = 100;

const database = await createTestDatabase();
const { address, namespace } = await createTestNamespace();
const shopify = await startFakeShopify({
  [DOMAIN]: emptyShop({ accessToken: TOKEN, orders: many(SHOPIFY_ORDERS, (n) => fakeOrder(n)) }),
});
const amazon = await startFakeAmazon();
const processes = await commerceProcesses({
  database,
  address,
  namespace,
  env: {
    SHOPIFY_BASE_URL: shopify.url,
    AMAZON_SPAPI_BASE_URL: amazon.settings.spApiBaseUrl,
    AMAZON_LWA_URL: amazon.settings.lwaUrl,
    COMMERCE_LOOKBACK_DAYS: '3650',
  },
});

const rows = async (query: string): Promise<Record<string, unknown>[]> =>
  (await database.pool.query(query)).rows;

/** Where each request for orders began to read; the first page has no cursor. */
const asked = {
  shopify: (): unknown[] =>
    shopify.requests
      .filter(({ operation }) => operation === 'Orders')
      .map(({ variables }) => variables['after'] ?? null),
  amazon: (): unknown[] =>
    amazon.callsOf('searchOrders').map(({ query }) => query['paginationToken'] ?? null),
};
type Platform = keyof typeof asked;
const platforms = ['shopify', 'amazon'] as const;

/** What had been asked for when the worker was killed, and how many pages were committed then. */
const atKill = new Map<Platform, { readonly asked: readonly unknown[]; readonly committed: number }>();

const waiting = async (): Promise<number> =>
  (
    await rows(`SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
                WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`)
  ).length;

/** Both shops are read side by side when the one worker is killed; another one then ends both runs. */
beforeAll(async () => {
  shopify.script.set('every', { delayMs: PAGE_MS });
  amazon.data.orders.push(...many(AMAZON_ORDERS, (n) => order(n)));
  await processes.connect('paging', 'shopify', { shop_domain: DOMAIN, access_token: TOKEN }, 'now');
  await processes.connect('paging', 'amazon', amazon.credentials, 'now');
  const hold = await holdRows(
    database.databaseUrl,
    'BEFORE UPDATE ON durasync.staging_progress',
    `NEW.table_name = 'orders' AND NEW.page >= ${HELD_PAGE}`,
  );
  const worker = await processes.startWorker();
  await waitUntil('a page of each shop is held', async () => (await waiting()) === 2, WAIT_MS);
  worker.child.kill('SIGKILL');
  await worker.exited;
  const progress = await rows(`
    SELECT c.platform_type AS platform, p.page FROM durasync.staging_progress p
    JOIN durasync.sync_runs r USING (run_id)
    JOIN commerce.client_api_credentials c ON c.credential_id::text = r.scope WHERE p.table_name = 'orders'`);
  for (const { platform, page } of progress) {
    const name = platform as Platform;
    atKill.set(name, { asked: asked[name](), committed: Number(page) });
  }
  await hold.release();
  await processes.startWorker();
  await waitUntil(
    'both runs are recorded',
    async () => (await rows('SELECT 1 FROM commerce.client_api_sync_results')).length === 2,
    WAIT_MS,
  );
}, 2 * WAIT_MS);

describe.each(platforms)('a worker killed in the middle of the orders of %s', (platform) => {
  test('had committed some pages and asked for more', () => {
    const { asked: cursors = [], committed = 0 } = atKill.get(platform) ?? {};
    expect(committed).toBeGreaterThanOrEqual(1);
    expect(committed).toBeLessThan(HELD_PAGE);
    expect(cursors.length).toBeGreaterThan(committed);
  });

  test('is followed by one that goes on behind the last committed page', () => {
    const { asked: before = [], committed = 0 } = atKill.get(platform) ?? {};
    const later = asked[platform]().slice(before.length);
    expect(later[0]).toBe(before[committed]);
  });

  test('lets no committed page be asked for twice, and leaves none out', () => {
    const { asked: before = [], committed = 0 } = atKill.get(platform) ?? {};
    const all = asked[platform]();
    const timesAsked = (cursor: unknown): number => all.filter((each) => each === cursor).length;
    expect(before.slice(0, committed).map(timesAsked)).toEqual(Array(committed).fill(1));
    expect(committed + all.length - before.length).toBe(7);
  });

  test('costs no order and doubles none', async () => {
    const [stored] = await rows(`
      SELECT count(*), count(DISTINCT external_id) AS distinct FROM commerce.client_data
      WHERE platform = '${platform}' AND data_type = 'orders'`);
    const orders = platform === 'shopify' ? SHOPIFY_ORDERS : AMAZON_ORDERS;
    expect(stored).toEqual({ count: orders, distinct: orders });
    const [result] = await rows(`
      SELECT r.success, t.fetched, t.staged, t.inserted, t.updated
      FROM commerce.client_api_sync_results r JOIN durasync.sync_run_tables t USING (run_id)
      WHERE r.platform_type = '${platform}' AND t.table_name = 'orders'`);
    expect(result).toEqual({ success: true, fetched: orders, staged: orders, inserted: orders, updated: 0 });
  });
});

test('both shops were read once, each by a run of its own that outlived the worker', async () => {
  const runs = await rows(
    `SELECT DISTINCT scope, workflow_id FROM durasync.sync_runs WHERE status = 'completed'`,
  );
  expect(runs).toHaveLength(2);
});
