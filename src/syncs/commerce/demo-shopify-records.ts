import { hash, pick } from '../fleet/demo-random.ts';
import { catalogueAt } from './demo-shop-catalogue.ts';
import type { DemoProduct, DemoShop } from './demo-shop-catalogue.ts';
import { CUSTOMER_COUNT, ordersAt } from './demo-shop-orders.ts';
import type { DemoOrder } from './demo-shop-orders.ts';

/** A record in the form of the Admin API; the list inside it is still whole. */
export type DemoRecord = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly updatedAt: string;
};

const OPENED_AT = '2025-01-01T08:00:00Z';
const LOCATIONS = [
  'Main Warehouse (demo)',
  'Shop Floor (demo)',
  'North (demo)',
  'South (demo)',
  'Returns (demo)',
];
const COUNTED_EVERY_MS = 86_400_000;
/** Orders come round the customers once in ten days, counted from 1970. */
const ROUNDS_BEFORE_OPENING = Math.floor(Date.parse(OPENED_AT) / (10 * 86_400_000));
const FIRST_NAMES = [
  'Ana',
  'Ben',
  'Chloe',
  'Dev',
  'Ema',
  'Finn',
  'Grace',
  'Hugo',
  'Ines',
  'Jun',
  'Kim',
  'Leo',
];
const LAST_NAMES = ['Abel', 'Brook', 'Castro', 'Dale', 'Evans', 'Flint', 'Gray', 'Holm', 'Ito', 'Jones'];

const gid = (kind: string, id: number): string => `gid://shopify/${kind}/${id}`;
const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const amount = (cents: number) => ({ amount: (cents / 100).toFixed(2), currencyCode: 'USD' });
const money = (cents: number) => ({ shopMoney: amount(cents) });

export function orderRecords(shop: DemoShop, nowMs: number): DemoRecord[] {
  return ordersAt(shop, nowMs).map((order) => orderRecord(shop, order));
}

function orderRecord(
  shop: DemoShop,
  { id, number, customer, placedAtMs, closed, lines }: DemoOrder,
): DemoRecord {
  const cancelled = closed?.how === 'cancelled';
  const cents = lines.reduce((sum, { variant, quantity }) => sum + variant.priceCents * quantity, 0);
  const taxCents = Math.round(cents * 0.08);
  return {
    id: gid('Order', id),
    name: `#D${number}`,
    createdAt: time(placedAtMs),
    updatedAt: time(closed?.atMs ?? placedAtMs),
    processedAt: time(placedAtMs),
    cancelledAt: cancelled ? time(closed.atMs) : null,
    closedAt: closed === null ? null : time(closed.atMs),
    test: true,
    currencyCode: 'USD',
    displayFinancialStatus: cancelled ? 'REFUNDED' : 'PAID',
    displayFulfillmentStatus: closed?.how === 'fulfilled' ? 'FULFILLED' : 'UNFULFILLED',
    sourceName: 'web',
    tags: ['demo'],
    customer: { id: customerGid(shop, customer) },
    totalPriceSet: money(cents + taxCents),
    currentTotalPriceSet: money(cancelled ? 0 : cents + taxCents),
    totalTaxSet: money(taxCents),
    lineItems: lines.map((line) => ({
      id: gid('LineItem', line.id),
      sku: line.variant.sku,
      name: `${line.product.title} - ${line.variant.title}`,
      title: line.product.title,
      variantTitle: line.variant.title,
      quantity: line.quantity,
      currentQuantity: cancelled ? 0 : line.quantity,
      unfulfilledQuantity: closed === null ? line.quantity : 0,
      variant: { id: gid('ProductVariant', line.variant.id) },
      originalUnitPriceSet: money(line.variant.priceCents),
      discountedTotalSet: money(line.variant.priceCents * line.quantity),
    })),
  };
}

const customerGid = ({ seed }: DemoShop, customer: number): string =>
  gid('Customer', seed * 1_000_000 + customer);

export function productRecords(shop: DemoShop, nowMs: number): DemoRecord[] {
  return catalogueAt(shop, nowMs).map((product) => productRecord(shop, product));
}

function productRecord(shop: DemoShop, { id, title, revisedAtMs, variants }: DemoProduct): DemoRecord {
  const updatedAt = time(revisedAtMs);
  // Counted when the prices changed, since a count of today would change the record behind its own back.
  const counted = variants.map((_, index) => countOf(shop, id + index, 0, revisedAtMs).available);
  return {
    id: gid('Product', id),
    title,
    handle: title.toLowerCase().replaceAll(' ', '-'),
    status: 'ACTIVE',
    vendor: shop.name,
    productType: title.split(' ').slice(1).join(' '),
    tags: ['demo'],
    createdAt: OPENED_AT,
    updatedAt,
    publishedAt: OPENED_AT,
    totalInventory: counted.reduce((sum, count) => sum + count, 0),
    variants: variants.map((variant, index) => ({
      id: gid('ProductVariant', variant.id),
      title: variant.title,
      sku: variant.sku,
      barcode: null,
      position: index + 1,
      price: amount(variant.priceCents).amount,
      compareAtPrice: null,
      inventoryQuantity: counted[index] ?? 0,
      createdAt: OPENED_AT,
      updatedAt,
      inventoryItem: { id: gid('InventoryItem', variant.itemId) },
    })),
  };
}

/** Everything about a customer that changes follows from the last order. */
export function customerRecords(shop: DemoShop, nowMs: number): DemoRecord[] {
  const lastOrders = new Map(ordersAt(shop, nowMs).map((order) => [order.customer, order]));
  return [...lastOrders].map(([customer, { number, placedAtMs }]) => {
    const firstName = pick(FIRST_NAMES, hash(shop.seed, customer, 7));
    const lastName = pick(LAST_NAMES, hash(shop.seed, customer, 8));
    const orders = Math.max(1, Math.floor(number / CUSTOMER_COUNT) - ROUNDS_BEFORE_OPENING);
    return {
      id: customerGid(shop, customer),
      displayName: `${firstName} ${lastName}`,
      firstName,
      lastName,
      state: 'ENABLED',
      locale: 'en',
      tags: ['demo'],
      createdAt: OPENED_AT,
      updatedAt: time(placedAtMs),
      numberOfOrders: String(orders),
      amountSpent: amount(orders * (3_000 + (hash(shop.seed, customer, 9) % 9_000))),
      defaultEmailAddress: { emailAddress: `customer${customer}@example.com` },
      defaultPhoneNumber: null,
      defaultAddress: { city: 'Springfield', provinceCode: 'OR', countryCodeV2: 'US', zip: '97477' },
    };
  });
}

export function inventoryRecords(shop: DemoShop, nowMs: number): DemoRecord[] {
  return catalogueAt(shop, nowMs).flatMap(({ variants }, index) =>
    variants.map(({ itemId, sku }) => ({
      id: gid('InventoryItem', itemId),
      sku,
      tracked: true,
      updatedAt: OPENED_AT,
      // The first product lies in more places than a page brings along.
      inventoryLevels: LOCATIONS.slice(0, index === 0 ? LOCATIONS.length : 2).map((name, location) =>
        levelRecord(shop, itemId, location, name, nowMs),
      ),
    })),
  );
}

function levelRecord(shop: DemoShop, itemId: number, location: number, name: string, nowMs: number) {
  const { countedAtMs, ...quantities } = countOf(shop, itemId, location, nowMs);
  return {
    id: `${gid('InventoryLevel', location + 1)}?inventory_item_id=${itemId}`,
    updatedAt: time(countedAtMs),
    location: { id: gid('Location', shop.seed * 100 + location), name },
    quantities: Object.entries(quantities).map(([quantity, value]) => ({ name: quantity, quantity: value })),
  };
}

/** Moves once a day, at another time for every item and place. */
function countOf({ seed }: DemoShop, itemId: number, location: number, atMs: number) {
  const shiftMs = hash(seed, itemId, location) % COUNTED_EVERY_MS;
  const count = Math.floor((atMs - shiftMs) / COUNTED_EVERY_MS);
  const on_hand = hash(seed, itemId, location, count) % 60;
  const committed = Math.min(on_hand, hash(seed, itemId, location, count + 1) % 5);
  return {
    countedAtMs: count * COUNTED_EVERY_MS + shiftMs,
    available: on_hand - committed,
    on_hand,
    committed,
    incoming: count % 3 === 0 ? 24 : 0,
    reserved: 0,
  };
}
