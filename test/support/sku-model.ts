import fc from 'fast-check';
import type pg from 'pg';
import type { Platform } from '../../src/domain/clients.ts';
import { fakeInventoryItem, fakeOrder, fakeProduct } from './fake-shopify-records.ts';

/** What a shop has, in no platform's own words. */
export interface ShopModel {
  readonly listings?: readonly { readonly sku: string; readonly cents: number | null }[];
  readonly stock?: readonly { readonly sku: string; readonly onHand: number; readonly incoming: number }[];
  readonly orders?: readonly ModelOrder[];
}

export interface ModelOrder {
  /** Before the instant of the analysis; negative for one that comes later. */
  readonly ageMs: number;
  readonly state: 'open' | 'closed' | 'cancelled';
  readonly lines: readonly ModelLine[];
}

export interface ModelLine {
  readonly sku: string;
  readonly ordered: number;
  /** Left after refunds; Amazon shows none. */
  readonly kept?: number;
  readonly unshipped?: number;
  /** For all that was ordered. */
  readonly cents: number;
}

export interface StoredRecord {
  readonly dataType: 'orders' | 'products' | 'inventory';
  readonly externalId: string;
  readonly payload: object;
}

const DAY_MS = 86_400_000;

const decimal = (cents: number): string => (cents / 100).toFixed(2);
const trimmed = (sku: string): string => sku.trim();
export const ago = (at: string, ageMs: number): string => new Date(Date.parse(at) - ageMs).toISOString();

/** The model as the Shopify connector stores it. */
export function shopifyRecords(
  { listings = [], stock = [], orders = [] }: ShopModel,
  at: string,
): StoredRecord[] {
  const money = (cents: number) => ({ shopMoney: { amount: decimal(cents), currencyCode: 'USD' } });
  return [
    ...listings.map(({ sku, cents }, index) => {
      const price = cents === null ? null : decimal(cents);
      const variants = [{ title: 'Default Title', sku, price, inventoryItem: { id: `of listing ${index}` } }];
      return record(
        'products',
        index + 1,
        fakeProduct(index + 1, 0, { title: `Listing ${index}`, variants }),
      );
    }),
    ...stock.map(({ sku, onHand, incoming }, index) => {
      const { inventoryLevels: _, ...item } = fakeInventoryItem(index + 1, 0, { sku });
      const quantities = { available: onHand - 1, on_hand: onHand, committed: 1, incoming, reserved: 0 };
      return record('inventory', `${index + 1}:1`, { ...item, inventoryItemId: item.id, quantities });
    }),
    ...orders.map(({ ageMs, state, lines }, index) => {
      const lineItems = lines.map(({ sku, ordered, kept = ordered, unshipped = 0, cents }) => ({
        sku,
        title: 'Sold thing',
        variantTitle: null,
        quantity: ordered,
        currentQuantity: kept,
        unfulfilledQuantity: unshipped,
        discountedTotalSet: money(cents),
      }));
      const ended = {
        cancelledAt: state === 'cancelled' ? at : null,
        closedAt: state === 'open' ? null : at,
      };
      return record(
        'orders',
        index + 1,
        fakeOrder(index + 1, 0, { createdAt: ago(at, ageMs), ...ended, lineItems }),
      );
    }),
  ];
}

const AMAZON_STATES = { open: 'PARTIALLY_SHIPPED', closed: 'SHIPPED', cancelled: 'CANCELLED' } as const;

/** The model as the Amazon connector stores it. A seller has one listing for each SKU: the last one counts. */
export function amazonRecords(
  { listings = [], stock = [], orders = [] }: ShopModel,
  at: string,
): StoredRecord[] {
  const last = new Map(listings.map((listing, index) => [trimmed(listing.sku), { ...listing, index }]));
  const money = (cents: number) => ({ amount: decimal(cents), currencyCode: 'USD' });
  return [
    ...[...last.values()].map(({ sku, cents, index }) =>
      record('products', sku, {
        sku,
        summaries: [{ marketplaceId: 'US', itemName: `Listing ${index}` }],
        offers: cents === null ? [] : [{ marketplaceId: 'US', offerType: 'B2C', price: money(cents) }],
        catalogItem: null,
      }),
    ),
    ...stock.map(({ sku, onHand, incoming }, index) =>
      record('inventory', `marketplace ${index}/${sku}`, {
        sellerSku: sku,
        inventoryDetails: {
          fulfillableQuantity: onHand - 2,
          reservedQuantity: { totalReservedQuantity: 2 },
          inboundShippedQuantity: incoming,
        },
      }),
    ),
    ...orders.map(({ ageMs, state, lines }, index) =>
      record('orders', index + 1, {
        createdTime: ago(at, ageMs),
        fulfillment: { fulfillmentStatus: AMAZON_STATES[state] },
        orderItems: lines.map(({ sku, ordered, unshipped = 0, cents }) => ({
          quantityOrdered: ordered,
          product: { sellerSku: sku, title: 'Sold thing' },
          proceeds: { proceedsTotal: money(cents) },
          fulfillment: { quantityFulfilled: ordered - unshipped, quantityUnfulfilled: unshipped },
        })),
      }),
    ),
  ];
}

const record = (
  dataType: StoredRecord['dataType'],
  externalId: string | number,
  payload: object,
): StoredRecord => ({ dataType, externalId: String(externalId), payload });

/** Makes these the only records of a client on a platform. */
export async function storeRecords(
  pool: pg.Pool,
  clientId: string,
  platform: Platform,
  records: readonly StoredRecord[],
): Promise<void> {
  await pool.query(`DELETE FROM commerce.client_data WHERE client_id = $1 AND platform = $2`, [
    clientId,
    platform,
  ]);
  await pool.query(
    `INSERT INTO commerce.client_data (client_id, platform, data_type, external_id, payload, content_hash)
     SELECT $1, $2, r."dataType", r."externalId", r.payload, 'test'
     FROM jsonb_to_recordset($3::jsonb) AS r("dataType" text, "externalId" text, payload jsonb)`,
    [clientId, platform, JSON.stringify(records)],
  );
}

/** What `sku_cache` must hold for a shop, worked out one SKU at a time, money in cents. */
export function expectedSkus({ listings = [], stock = [], orders = [] }: ShopModel, platform: Platform) {
  const sold = orders
    .filter(({ state }) => state !== 'cancelled')
    .flatMap(({ lines, ...order }) => lines.map((line) => ({ ...order, ...line })));
  const named = [...listings, ...stock, ...sold].map(({ sku }) => trimmed(sku)).filter((sku) => sku !== '');
  const shown =
    platform === 'amazon' ? new Map(listings.map((each) => [trimmed(each.sku), each])).values() : listings;
  const prices = [...shown];
  return [...new Set(named)].sort().map((sku) => {
    const of = <T extends { readonly sku: string }>(all: readonly T[]): T[] =>
      all.filter((each) => trimmed(each.sku) === sku);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const kept = ({ ordered, kept: left = ordered }: ModelLine): number =>
      platform === 'shopify' ? left : ordered;
    const revenue = (line: ModelLine): number =>
      platform === 'amazon'
        ? line.cents
        : line.ordered === 0
          ? 0
          : Math.floor((2 * line.cents * kept(line) + line.ordered) / (2 * line.ordered));
    const within = (days: number) => of(sold).filter(({ ageMs }) => ageMs < days * DAY_MS && ageMs > -1000);
    const onHand = sum(of(stock).map((each) => each.onHand));
    const incoming = sum(of(stock).map((each) => each.incoming));
    const open = of(sold).filter(({ state }) => state === 'open');
    const outgoing = sum(open.map(({ unshipped = 0 }) => unshipped));
    const available = Math.max(0, onHand + incoming - outgoing);
    const cents = of(prices).findLast((each) => each.cents !== null)?.cents ?? null;
    const monthly = sum(within(30).map(kept));
    return {
      sku_code: sku,
      on_hand_inventory: onHand,
      incoming_inventory: incoming,
      outgoing_inventory: outgoing,
      current_availability: available,
      unit_price: cents === null ? null : decimal(cents),
      total_value: cents === null ? null : decimal(cents * Math.max(0, onHand)),
      units_7d: sum(within(7).map(kept)),
      units_30d: monthly,
      units_90d: sum(within(90).map(kept)),
      revenue_30d: decimal(sum(within(30).map(revenue))),
      avg_daily_sales: monthly / 30,
      days_stock_remaining: monthly > 0 ? Math.min(999, Math.floor((available * 30) / monthly)) : 999,
    };
  });
}

const anySku = fc.constantFrom('A', 'B', ' B ', 'C', `O'Hara "x" \\`, 'ä', '', ' ');
const anyLine = fc
  .record({
    sku: anySku,
    ordered: fc.integer({ min: 0, max: 5 }),
    kept: fc.integer({ min: 0, max: 5 }),
    unshipped: fc.integer({ min: 0, max: 5 }),
    cents: fc.integer({ min: 0, max: 99_999 }),
  })
  .map(({ ordered, kept, unshipped, ...rest }) => ({
    ...rest,
    ordered,
    kept: Math.min(kept, ordered),
    unshipped: Math.min(unshipped, ordered),
  }));
/** Small shops in which every field meets its edges. */
export const anyShop: fc.Arbitrary<ShopModel> = fc.record({
  listings: fc.array(fc.record({ sku: anySku, cents: fc.option(fc.integer({ min: 0, max: 999_999 })) })),
  stock: fc.array(
    fc.record({
      sku: anySku,
      onHand: fc.integer({ min: -5, max: 2000 }),
      incoming: fc.integer({ min: 0, max: 50 }),
    }),
  ),
  orders: fc.array(
    fc.record({
      ageMs: fc.oneof(
        fc.integer({ min: -2 * DAY_MS, max: 95 * DAY_MS }),
        fc.constantFrom(0, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, -1000),
      ),
      state: fc.constantFrom('open', 'closed', 'cancelled'),
      lines: fc.array(anyLine, { maxLength: 4 }),
    }),
  ),
});
