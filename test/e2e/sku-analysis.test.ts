import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addClient } from '../../src/db/clients.ts';
import { replaceSkus } from '../../src/db/sku-cache.ts';
import type { Platform } from '../../src/domain/clients.ts';
import { TASK_QUEUE } from '../../src/domain/ids.ts';
import { demoAmazonSeller } from '../../src/syncs/commerce/demo-amazon-seller.ts';
import { skuFacts } from '../../src/syncs/commerce/sku-analysis.ts';
import { applySchedules, triggerSchedule } from '../../src/temporal/schedules.ts';
import type { analyseSkus } from '../../workflows/analyse-skus.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { fakeInventoryItem, fakeOrder, fakeProduct } from '../support/fake-shopify-records.ts';
import {
  ago,
  amazonRecords,
  anyShop,
  expectedSkus,
  type ModelLine,
  type ModelOrder,
  type ShopModel,
  shopifyRecords,
  storeRecords,
} from '../support/sku-model.ts';

const commerce = await startCommerceHarness();
const { database, client } = commerce;

const AT = '2026-11-20T09:00:00.000Z';
const DAY_MS = 86_400_000;
const RECORDS = { shopify: shopifyRecords, amazon: amazonRecords } as const;
const PLATFORMS = ['shopify', 'amazon'] as const;

const replace = (clientId: string, at = AT) => replaceSkus(database.db, { clientId, at }, skuFacts);

/** Replaces the records of a client on a platform and analyses it. */
async function analyse(clientId: string, platform: Platform, shop: ShopModel, at = AT) {
  await storeRecords(database.pool, clientId, platform, RECORDS[platform](shop, at));
  return replace(clientId, at);
}

async function skusOf(clientId: string, platform: Platform): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(
    `SELECT * FROM sku_cache WHERE client_id = $1 AND platform = $2 ORDER BY sku_code COLLATE "C"`,
    [clientId, platform],
  );
  return rows;
}

/** The workflow over all clients; its result. */
const analyseAll = () =>
  client.workflow.execute<typeof analyseSkus>('analyseSkus', {
    taskQueue: TASK_QUEUE,
    workflowId: `test-${randomUUID()}`,
    args: [],
  });

const line = (sku: string, units: number, more: Partial<ModelLine> = {}): ModelLine => ({
  sku,
  ordered: units,
  unshipped: units,
  cents: 1000 * units,
  ...more,
});
const order = (lines: readonly ModelLine[], more: Partial<ModelOrder> = {}): ModelOrder => ({
  ageMs: DAY_MS,
  state: 'open',
  lines,
  ...more,
});
const outgoingOf = (rows: readonly Record<string, unknown>[]) =>
  Object.fromEntries(rows.map((row) => [row['sku_code'], row['outgoing_inventory']]));

describe.each(PLATFORMS)('the SKUs of a client on %s', (platform) => {
  const of = async (shop: ShopModel) => {
    await analyse('one', platform, shop);
    return skusOf('one', platform);
  };

  test('count what is open of each SKU, not of its orders', async () => {
    const orders = [
      order([line('A', 2), line('B', 5)]),
      order([line('A', 1)]),
      order([line('B', 3), line('B', 4)]),
    ];
    expect(outgoingOf(await of({ orders }))).toEqual({ A: 3, B: 12 });
  });

  test('count only what is not shipped yet of a partly shipped order', async () => {
    const [row] = await of({ orders: [order([line('A', 5, { unshipped: 2 })])] });
    expect(row).toMatchObject({ outgoing_inventory: 2, units_7d: 5, revenue_30d: '50.00' });
  });

  test('count nothing of cancelled orders, and sales but nothing open of closed ones', async () => {
    const orders = [
      order([line('A', 3)], { state: 'cancelled' }),
      order([line('A', 2, { unshipped: 1 })], { state: 'closed' }),
    ];
    const [row] = await of({ stock: [{ sku: 'A', onHand: 9, incoming: 0 }], orders });
    expect(row).toMatchObject({ outgoing_inventory: 0, current_availability: 9, units_7d: 2 });
  });

  test('last 999 days without sales, and are never negative', async () => {
    const rows = await of({
      listings: [{ sku: 'idle', cents: 250 }],
      stock: [
        { sku: 'idle', onHand: 4, incoming: 2 },
        { sku: 'short', onHand: 3, incoming: 1 },
        { sku: 'under', onHand: -2, incoming: 0 },
      ],
      orders: [order([line('short', 10)])],
    });
    expect(rows).toMatchObject([
      { sku_code: 'idle', current_availability: 6, days_stock_remaining: 999, total_value: '10.00' },
      { sku_code: 'short', outgoing_inventory: 10, current_availability: 0, days_stock_remaining: 0 },
      { sku_code: 'under', on_hand_inventory: -2, current_availability: 0, days_stock_remaining: 999 },
    ]);
  });

  test('count sales of 7, 30 and 90 days before the given instant', async () => {
    const ages = [
      -2000,
      -500,
      0,
      7 * DAY_MS - 1,
      7 * DAY_MS,
      30 * DAY_MS - 1,
      30 * DAY_MS,
      90 * DAY_MS - 1,
      90 * DAY_MS,
    ];
    const orders = ages.map((ageMs) => order([line('A', 1)], { ageMs }));
    const [row] = await of({ orders, stock: [{ sku: 'A', onHand: 59, incoming: 0 }] });
    expect(row).toMatchObject({ units_7d: 3, units_30d: 5, units_90d: 7, revenue_30d: '50.00' });
    expect(row).toMatchObject({
      avg_daily_sales: 5 / 30,
      current_availability: 50,
      days_stock_remaining: 300,
    });
  });

  test('are there when only orders, only listings or only stock name them; blank ones are not', async () => {
    const rows = await of({
      listings: [
        { sku: 'listed', cents: null },
        { sku: ' ', cents: 100 },
      ],
      stock: [
        { sku: 'stocked', onHand: 1, incoming: 0 },
        { sku: '', onHand: 7, incoming: 0 },
      ],
      orders: [order([line(' sold ', 1), line('', 4)])],
    });
    expect(rows).toMatchObject([
      { sku_code: 'listed', item_name: 'Listing 0', unit_price: null, total_value: null },
      { sku_code: 'sold', item_name: 'Sold thing', unit_price: null, outgoing_inventory: 1 },
      { sku_code: 'stocked', on_hand_inventory: 1, revenue_30d: '0.00' },
    ]);
  });

  test('are as an independent calculation says, whatever the shop has', async () => {
    await fc.assert(
      fc.asyncProperty(anyShop, async (shop) => {
        await analyse('random', platform, shop);
        const rows = await skusOf('random', platform);
        const expected = expectedSkus(shop, platform);
        expect(rows).toMatchObject(expected);
        expect(rows).toHaveLength(expected.length);
      }),
      { numRuns: 150 },
    );
  });
});

describe('on Shopify', () => {
  test('refunded units are no sales, and their share of the price is no revenue', async () => {
    const orders = [order([line('A', 3, { kept: 2, unshipped: 2, cents: 1000 })])];
    await analyse('one', 'shopify', { orders });
    expect(await skusOf('one', 'shopify')).toMatchObject([
      { units_7d: 2, revenue_30d: '6.67', outgoing_inventory: 2 },
    ]);
  });

  test('the same SKU on several variants has the stock of all and the newest price', async () => {
    const variant = (id: string, price: string | null) => ({
      title: `Size ${id}`,
      sku: 'A',
      price,
      inventoryItem: { id },
    });
    const level = (externalId: string, inventoryItemId: string, on_hand: number, sku: string | null) => ({
      dataType: 'inventory' as const,
      externalId,
      payload: { inventoryItemId, sku, quantities: { on_hand, incoming: 1 } },
    });
    await storeRecords(database.pool, 'one', 'shopify', [
      {
        dataType: 'products',
        externalId: '1',
        payload: fakeProduct(1, 0, { variants: [variant('i1', '5.00')] }),
      },
      {
        dataType: 'products',
        externalId: '2',
        payload: fakeProduct(2, 0, { variants: [variant('i2', null), variant('i3', '7.5')] }),
      },
      level('i1:1', 'i1', 2, 'A'),
      level('i1:2', 'i1', 3, 'A'),
      level('i2:1', 'i2', 10, 'the name before'),
      level('i3:1', 'i3', 20, null),
    ]);
    await replace('one');
    expect(await skusOf('one', 'shopify')).toMatchObject([
      {
        sku_code: 'A',
        item_name: 'Thing 2',
        variant_title: 'Size i3',
        unit_price: '7.50',
        on_hand_inventory: 35,
      },
    ]);
  });

  test('a shop that was synced shows its SKUs when the schedule is triggered', async () => {
    const now = new Date().toISOString();
    const [first, second] = [fakeOrder(1, 2, { createdAt: now }), fakeOrder(2, 1, { createdAt: now })];
    await commerce.addShop('acme', {
      products: [fakeProduct(1, 2), fakeProduct(2, 1, { variants: [] })],
      inventoryItems: [fakeInventoryItem(1001, 2, { sku: 'SKU-1-1' })],
      orders: [first, second, fakeOrder(3, 2, { createdAt: now, cancelledAt: now })],
    });
    await commerce.clients.start(['acme']);
    await commerce.until(
      'acme',
      ({ runsSinceStart, credentials }) => runsSinceStart === 1 && !credentials[0]?.running,
    );
    await applySchedules({ client, syncs: [], env: {} });
    const triggered = await triggerSchedule(client, 'sku-analysis');
    if (triggered.outcome !== 'started') throw new Error(triggered.outcome);
    await client.workflow.getHandle(triggered.workflowId, triggered.runId).result();
    const rows = await skusOf('acme', 'shopify');
    expect(rows).toMatchObject([
      { sku_code: 'SKU-1', units_7d: 2, outgoing_inventory: 2, revenue_30d: '39.80', item_name: 'Thing 1' },
      { sku_code: 'SKU-1-1', on_hand_inventory: 2004, incoming_inventory: 2008, unit_price: '19.90' },
      { sku_code: 'SKU-1-2', on_hand_inventory: 0, item_name: 'Thing 1', variant_title: 'Size 2' },
      { sku_code: 'SKU-2', units_7d: 1, outgoing_inventory: 1 },
    ]);
  });

  test('the schedule runs at 01:00, 09:00 and 17:00 UTC', async () => {
    const { spec, action } = await client.schedule.getHandle('sku-analysis').describe();
    expect(spec.timezone).toBe('UTC');
    expect(spec.calendars?.map(({ hour, minute }) => ({ hour, minute }))).toMatchObject([
      { hour: [{ start: 1 }, { start: 9 }, { start: 17 }], minute: [{ start: 0 }] },
    ]);
    expect(action.workflowType).toBe('analyseSkus');
  });
});

describe('on Amazon', () => {
  test('the demo seller has what its orders, listings and inventory add up to', async () => {
    const seller = demoAmazonSeller(() => new Date(AT));
    const records = (dataType: 'orders' | 'products' | 'inventory', items: readonly object[]) =>
      items.map((payload, index) => ({ dataType, externalId: String(index), payload }));
    await storeRecords(database.pool, 'seller', 'amazon', [
      ...records('orders', seller.orders()),
      ...records(
        'products',
        seller.listings().map((listing) => ({ ...listing, catalogItem: seller.catalogItems()[0] })),
      ),
      ...records('inventory', seller.inventory('ATVPDKIKX0DER')),
    ]);
    await replace('seller');
    const unshipped = new Map<string, number>();
    for (const { orderItems } of seller.orders() as unknown as { orderItems: DemoItem[] }[]) {
      for (const { product, fulfillment } of orderItems) {
        const known = unshipped.get(product.sellerSku) ?? 0;
        unshipped.set(product.sellerSku, known + fulfillment.quantityUnfulfilled);
      }
    }
    const rows = await skusOf('seller', 'amazon');
    expect(rows).toHaveLength(36);
    expect(outgoingOf(rows)).toEqual(
      Object.fromEntries(rows.map(({ sku_code }) => [sku_code, unshipped.get(String(sku_code)) ?? 0])),
    );
    expect(rows.some(({ outgoing_inventory }) => Number(outgoing_inventory) > 0)).toBe(true);
    expect(rows[0]).toMatchObject({ item_name: 'Demo Apron, blue', variant_title: 'blue' });
  });
});

interface DemoItem {
  readonly product: { readonly sellerSku: string };
  readonly fulfillment: { readonly quantityUnfulfilled: number };
}

describe('replacing the SKUs of a client', () => {
  test('touches neither another client with the same SKU nor, for long, what is gone', async () => {
    await analyse('left', 'shopify', { orders: [order([line('A', 1), line('B', 1)])] });
    await analyse('right', 'shopify', { orders: [order([line('A', 8)])] });
    await analyse('left', 'shopify', { orders: [order([line('A', 2)])] });
    expect(outgoingOf(await skusOf('left', 'shopify'))).toEqual({ A: 2 });
    expect(outgoingOf(await skusOf('right', 'shopify'))).toEqual({ A: 8 });
  });

  test('is never seen half done', async () => {
    const skus = Array.from({ length: 300 }, (_, index) => `SKU ${index}`);
    const stock = skus.map((sku) => ({ sku, onHand: 1, incoming: 0 }));
    const instant = (n: number): string => ago(AT, -n * 1000);
    await analyse('watched', 'amazon', { stock });
    await analyse('watched', 'shopify', { stock }, instant(1));
    let done = false;
    const writing = (async () => {
      for (let n = 2; n < 40; n += 1) await replace('watched', instant(n));
      done = true;
    })();
    const seen = new Set<string>();
    const reader = await database.pool.connect();
    while (!done) {
      const { rows } = await reader.query(
        `SELECT count(*) AS skus, count(DISTINCT computed_at) AS times, max(computed_at) AS at
         FROM commerce.sku_cache WHERE client_id = 'watched'`,
      );
      expect(rows[0]).toMatchObject({ skus: 600, times: 1 });
      seen.add(rows[0].at.toISOString());
    }
    reader.release();
    await writing;
    expect(seen.size).toBeGreaterThan(5);
  });

  test('by two at once leaves one whole set', async () => {
    const stock = [{ sku: 'A', onHand: 1, incoming: 0 }];
    await analyse('twice', 'shopify', { stock });
    await Promise.all(Array.from({ length: 8 }, () => replace('twice')));
    expect(await skusOf('twice', 'shopify')).toHaveLength(1);
  });

  test('for an earlier instant than before changes nothing', async () => {
    await analyse('late', 'shopify', { orders: [order([line('A', 1)])] });
    const before = await skusOf('late', 'shopify');
    expect(await replace('late', ago(AT, DAY_MS))).toEqual({ outcome: 'older' });
    expect(await skusOf('late', 'shopify')).toEqual(before);
  });
});

describe('the analysis of all clients', () => {
  test('passes over a client whose records make no sense, and says which', async () => {
    const orders = [order([line('A', 1)])];
    for (const clientId of ['odd-1', 'odd-2', 'odd-3', 'resting']) {
      await addClient(database.db, clientId, clientId);
      await storeRecords(database.pool, clientId, 'amazon', amazonRecords({ orders }, AT));
    }
    await database.pool.query(`UPDATE commerce.clients SET active = false WHERE client_id = 'resting'`);
    expect(await analyseAll()).toMatchObject({ failed: 0, failures: [] });
    await storeRecords(database.pool, 'odd-2', 'amazon', [
      ...amazonRecords({ orders: [order([line('A', 9)])] }, AT),
      { dataType: 'orders', externalId: 'odd', payload: { createdTime: AT, orderItems: 'none' } },
    ]);
    await storeRecords(
      database.pool,
      'odd-3',
      'amazon',
      amazonRecords({ orders: [...orders, ...orders] }, AT),
    );
    expect(await analyseAll()).toMatchObject({
      failed: 1,
      failures: [
        { clientId: 'odd-2', message: expect.stringMatching(/stay as they were.*cannot extract elements/) },
      ],
    });
    const outgoing = async (clientId: string) => outgoingOf(await skusOf(clientId, 'amazon'));
    expect(await outgoing('odd-1')).toEqual({ A: 1 });
    expect(await outgoing('odd-2')).toEqual({ A: 1 });
    expect(await outgoing('odd-3')).toEqual({ A: 2 });
    expect(await outgoing('resting')).toEqual({});
  });

  test('goes on behind a page of clients, and each run replaces all', async () => {
    await database.pool.query(
      `INSERT INTO commerce.clients (client_id, name, view_name)
       SELECT 'page-' || n, 'page', 'page-' || n FROM generate_series(1, 450) n`,
    );
    await storeRecords(
      database.pool,
      'page-99',
      'shopify',
      shopifyRecords({ orders: [order([line('A', 1)])] }, AT),
    );
    const { rowCount } = await database.pool.query(`SELECT 1 FROM commerce.clients WHERE active`);
    for (const _ of [1, 2]) {
      const { analysed, failed } = await analyseAll();
      expect(analysed + failed).toBe(rowCount);
    }
    expect(await skusOf('page-99', 'shopify')).toHaveLength(1);
  });
});
