import { beforeAll, describe, expect, test } from 'vitest';
import { outcomeOf, syncNow } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import type { FakeNode } from '../support/fake-shopify.ts';
import {
  fakeCustomer,
  fakeInventoryItem,
  fakeOrder,
  fakeProduct,
  minuteOf,
} from '../support/fake-shopify-records.ts';
import { type ShopGate, startShopGate } from '../support/shop-gate.ts';

const commerce = await startCommerceHarness();
let gate: ShopGate;
beforeAll(async () => {
  gate = await startShopGate(commerce.shopify.url);
  commerce.env['SHOPIFY_BASE_URL'] = gate.url;
});

const LAST = { hasNextPage: false, endCursor: null };

const several = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n + 1));

/** A client that is not due by itself, and its shop. */
async function open(clientId: string, shop: Parameters<typeof commerce.addShop>[1] = {}) {
  const credentialId = await commerce.addShop(clientId, shop);
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET due_at = now() + '1 day', next_sync_at = now() + '1 day'
     WHERE credential_id = '${credentialId}'`,
  );
  const domain = `${clientId}.myshopify.com`;
  const found = commerce.shopify.shops.get(domain);
  if (!found) throw new Error(`there is no shop ${domain}`);
  return { credentialId, domain, shop: found, sync: () => syncNow(commerce, clientId) };
}

const stored = (clientId: string, columns = 'external_id'): Promise<Record<string, unknown>[]> =>
  commerce.rows(
    `SELECT ${columns} FROM client_data WHERE client_id = '${clientId}' ORDER BY data_type, external_id`,
  );

const now = (offsetMs = 0): string => new Date(Date.now() + offsetMs).toISOString();

describe('what a shop has', () => {
  test('is stored whole, over all pages and all kinds of records', async () => {
    const { sync } = await open('whole', {
      customers: several(250, (n) => fakeCustomer(n)),
      orders: several(40, (n) => fakeOrder(n, n % 7)),
      products: several(60, (n) => fakeProduct(n, 3)),
      inventoryItems: several(50, (n) => fakeInventoryItem(n, 2)),
      bucket: { maximumAvailable: 20_000, restoreRate: 10_000 },
    });
    const { result, run } = await sync();
    expect(run).toMatchObject({ status: 'completed', total_tables: 4 });
    expect(result).toMatchObject({
      success: true,
      records_fetched: 450,
      records_processed: 450,
      records_stored: 450,
      data_types_synced: ['customers', 'inventory', 'orders', 'products'],
      sync_triggered_by: 'test',
      platform_type: 'shopify',
      error_message: null,
    });
    const counts = await commerce.rows(
      `SELECT data_type, count(*) FROM client_data WHERE client_id = 'whole' GROUP BY 1 ORDER BY 1`,
    );
    expect(counts).toEqual([
      { data_type: 'customers', count: 250 },
      { data_type: 'inventory', count: 100 },
      { data_type: 'orders', count: 40 },
      { data_type: 'products', count: 60 },
    ]);
  });

  test('is not written again when it is the same, whatever the order of its fields', async () => {
    const customer = fakeCustomer(1, { updatedAt: now() });
    const { sync, shop } = await open('same', { customers: [customer] });
    await sync();
    const before = await stored('same', '*');
    shop.customers = [Object.fromEntries(Object.entries(customer).toReversed()) as FakeNode];
    const { result } = await sync();
    expect(result).toMatchObject({ success: true, records_fetched: 1, records_stored: 0 });
    expect(await stored('same', '*')).toEqual(before);
  });

  test('is replaced by a newer version, and by another content of the same time, but never by an older one', async () => {
    const { sync, shop } = await open('versions', {});
    const show = async (displayName: string, updatedAt: string): Promise<unknown> => {
      shop.customers = [fakeCustomer(1, { displayName, updatedAt })];
      const { result } = await sync();
      return result['records_stored'];
    };
    const name = async () => (await stored('versions', `payload->>'displayName' AS name`))[0]?.['name'];
    const at = Date.now();
    const time = (seconds: number) => new Date(at + seconds * 1_000).toISOString();
    expect(await show('first', time(0))).toBe(1);
    expect(await show('newer', time(10))).toBe(1);
    expect(await name()).toBe('newer');
    expect(await show('older', time(5))).toBe(0);
    expect(await name()).toBe('newer');
    expect(await show('same second', time(10))).toBe(1);
    expect(await name()).toBe('same second');
  });

  test('that two clients name by the same ids stays apart', async () => {
    const [one, two] = [await open('twin-1'), await open('twin-2')];
    one.shop.customers = [fakeCustomer(1, { displayName: 'of one' })];
    two.shop.customers = [fakeCustomer(1, { displayName: 'of two' })];
    await Promise.all([one.sync(), two.sync()]);
    const names = await commerce.rows(
      `SELECT client_id, payload->>'displayName' AS name FROM client_data WHERE client_id LIKE 'twin-%' ORDER BY 1`,
    );
    expect(names).toEqual([
      { client_id: 'twin-1', name: 'of one' },
      { client_id: 'twin-2', name: 'of two' },
    ]);
  });

  test('keeps text that PostgreSQL cannot hold out, at the cost of that record alone', async () => {
    const { sync, shop } = await open('text', {});
    shop.customers = several(25, (n) => fakeCustomer(n));
    shop.customers.push(
      fakeCustomer(26, { displayName: 'a\u0000b' }),
      fakeCustomer(27, { displayName: 'half \ud83d' }),
    );
    shop.customers.push(fakeCustomer(28, { displayName: 'back\\slash \\u0000 "quoted"\t\n😀' }));
    const { result, run } = await sync();
    expect(run?.tables.find(({ table }) => table === 'customers')).toMatchObject({
      status: 'completed',
      quarantined: 2,
      inserted: 26,
    });
    expect(result).toMatchObject({ success: true, records_fetched: 28, records_stored: 26 });
    const [kept] = await commerce.rows(
      `SELECT payload->>'displayName' AS name FROM client_data WHERE client_id = 'text' AND external_id = '28'`,
    );
    expect(kept?.['name']).toBe('back\\slash \\u0000 "quoted"\t\n😀');
  });
});

describe('a record without an id', () => {
  test('is quarantined, and the others are stored', async () => {
    const { sync, domain, shop } = await open('no-id', {});
    shop.customers = [fakeCustomer(1)];
    const nodes = several(19, (n) => ({ ...fakeOrder(n), lineItems: { nodes: [], pageInfo: LAST } }));
    const order = { ...fakeOrder(20), id: null, lineItems: { nodes: [], pageInfo: LAST } };
    gate.rules.set(domain, ({ operation }) =>
      operation === 'Orders'
        ? { body: { data: { orders: { nodes: [...nodes, order], pageInfo: LAST } } } }
        : undefined,
    );
    const { result, run } = await sync();
    expect(result).toMatchObject({ success: true, records_fetched: 21, records_stored: 20 });
    const quarantined = await commerce.rows(
      `SELECT table_name, position, reasons FROM durasync.quarantined_rows WHERE run_id = '${run?.run_id}'`,
    );
    expect(quarantined).toEqual([{ table_name: 'orders', position: 20, reasons: ['order without an id'] }]);
  });

  test('holds its data type when there are too many, and the others are stored', async () => {
    const { sync, domain, shop, credentialId } = await open('held', {});
    shop.customers = [fakeCustomer(1)];
    const order = { ...fakeOrder(1), id: null, lineItems: { nodes: [], pageInfo: LAST } };
    gate.rules.set(domain, ({ operation }) =>
      operation === 'Orders' ? { body: { data: { orders: { nodes: [order], pageInfo: LAST } } } } : undefined,
    );
    const { result, run } = await sync();
    expect(run?.status).toBe('held');
    expect(result).toMatchObject({
      success: false,
      records_stored: 1,
      error_message: expect.stringMatching(/quarantined/),
    });
    const [connection] = await commerce.rows(
      `SELECT status, next_sync_at = due_at AS waits FROM client_api_credentials WHERE credential_id = '${credentialId}'`,
    );
    expect(connection).toEqual({ status: 'connected', waits: true });
  });
});

describe('what is asked for', () => {
  const sinceOf = (domain: string): number[] =>
    gate
      .requestsTo(domain)
      .filter(({ operation }) => operation === 'Customers')
      .map(({ variables }) => Date.parse(/'(.+)'/.exec(String(variables['filter']))?.[1] ?? ''));

  test('goes back 30 days at first, then to five minutes before the last run', async () => {
    const { sync, domain } = await open('since', {});
    const startedAt = Date.now();
    await sync();
    const secondAt = Date.now();
    await sync();
    const [first = 0, second = 0] = sinceOf(domain);
    const minutesBefore = (from: number, to: number) => (from - to) / 60_000;
    expect(minutesBefore(startedAt, first) / 24 / 60).toBeCloseTo(30, 2);
    expect(minutesBefore(startedAt, second)).toBeGreaterThan(4.8);
    expect(minutesBefore(secondAt, second)).toBeLessThan(5.5);
  });

  test('starts again where a data type failed, while the others go on', async () => {
    const { sync, domain, shop } = await open('partly', {
      customers: [fakeCustomer(1, { updatedAt: minuteOf(1) })],
      products: [fakeProduct(1)],
    });
    await sync();
    shop.customers.push(fakeCustomer(2, { updatedAt: now() }));
    shop.products.push(fakeProduct(2, 1, { updatedAt: now() }));
    gate.rules.set(domain, ({ operation }) =>
      operation === 'Customers' ? { status: 404, body: '{}' } : undefined,
    );
    const { result, run } = await sync();
    expect(run).toMatchObject({ status: 'completed_with_errors', success_count: 3, failure_count: 1 });
    expect(result).toMatchObject({
      success: false,
      records_stored: 1,
      data_types_synced: ['inventory', 'orders', 'products'],
      error_message: expect.stringContaining('404'),
    });
    gate.rules.delete(domain);
    const again = await sync();
    expect(again.result).toMatchObject({ success: true, records_stored: 1 });
    const [, second, third] = sinceOf(domain);
    expect(third).toBe(second);
    expect((await stored('partly')).length).toBe(4);
  });
});

describe('the cost of a run with nothing new', () => {
  test('is at most the data types and 3 activities, and 8 history events for each', async () => {
    const { sync } = await open('idle', { customers: [fakeCustomer(1)], orders: [fakeOrder(1)] });
    await sync();
    const { workflowId } = await commerce.clients.requestSync('idle', {});
    const { result } = await outcomeOf(commerce, workflowId);
    expect(result).toMatchObject({ success: true, records_fetched: 0, records_stored: 0 });
    const { events } = await commerce.client.workflow.getHandle(workflowId).fetchHistory();
    const activities = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes).length;
    expect(activities).toBeLessThanOrEqual(4 + 3);
    expect(events?.length).toBeLessThanOrEqual(8 * (4 + 3));
  });
});
