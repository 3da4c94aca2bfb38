import type { FakeNode } from './fake-shopify.ts';

const CREATED_AT = '2026-01-01T00:00:00Z';

const money = (amount: string) => ({ shopMoney: { amount, currencyCode: 'USD' } });

const DAY_MS = 86_400_000;
/** A first run goes back 30 days, so this must not be a fixed date. */
const TEN_DAYS_AGO_MS = (Math.floor(Date.now() / DAY_MS) - 10) * DAY_MS;

/** Number n, changed n minutes after the start of the day ten days ago. */
export const minuteOf = (n: number): string =>
  new Date(TEN_DAYS_AGO_MS + n * 60_000).toISOString().replace('.000', '');

const several = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

export const fakeOrder = (n: number, lines = 1, changes: Record<string, unknown> = {}): FakeNode => ({
  id: `gid://shopify/Order/${n}`,
  name: `#${n}`,
  createdAt: CREATED_AT,
  updatedAt: minuteOf(n),
  processedAt: CREATED_AT,
  test: false,
  currencyCode: 'USD',
  displayFinancialStatus: 'PAID',
  displayFulfillmentStatus: 'UNFULFILLED',
  sourceName: 'web',
  tags: [],
  customer: { id: 'gid://shopify/Customer/1' },
  totalPriceSet: money('19.90'),
  currentTotalPriceSet: money('19.90'),
  totalTaxSet: money('0.00'),
  lineItems: several(lines).map((line) => ({
    id: `gid://shopify/LineItem/${n * 1000 + line}`,
    sku: `SKU-${line}`,
    name: `Thing ${line}`,
    title: `Thing ${line}`,
    quantity: 1,
    currentQuantity: 1,
    unfulfilledQuantity: 1,
    variant: { id: `gid://shopify/ProductVariant/${line}` },
    originalUnitPriceSet: money('19.90'),
    discountedTotalSet: money('19.90'),
  })),
  ...changes,
});

export const fakeProduct = (n: number, variants = 1, changes: Record<string, unknown> = {}): FakeNode => ({
  id: `gid://shopify/Product/${n}`,
  title: `Thing ${n}`,
  handle: `thing-${n}`,
  status: 'ACTIVE',
  vendor: 'Maker',
  productType: 'Thing',
  tags: [],
  createdAt: CREATED_AT,
  updatedAt: minuteOf(n),
  totalInventory: 5,
  variants: several(variants).map((variant) => ({
    id: `gid://shopify/ProductVariant/${n * 1000 + variant}`,
    title: `Size ${variant}`,
    sku: `SKU-${n}-${variant}`,
    position: variant,
    price: '19.90',
    inventoryQuantity: 5,
    createdAt: CREATED_AT,
    updatedAt: minuteOf(n),
    inventoryItem: { id: `gid://shopify/InventoryItem/${n * 1000 + variant}` },
  })),
  ...changes,
});

export const fakeCustomer = (n: number, changes: Record<string, unknown> = {}): FakeNode => ({
  id: `gid://shopify/Customer/${n}`,
  displayName: `Customer ${n}`,
  state: 'ENABLED',
  locale: 'en',
  tags: [],
  createdAt: CREATED_AT,
  updatedAt: minuteOf(n),
  numberOfOrders: '3',
  amountSpent: { amount: '59.70', currencyCode: 'USD' },
  defaultEmailAddress: { emailAddress: `customer${n}@example.com` },
  ...changes,
});

export const fakeInventoryItem = (
  n: number,
  levels = 1,
  changes: Record<string, unknown> = {},
): FakeNode => ({
  id: `gid://shopify/InventoryItem/${n}`,
  sku: `SKU-${n}`,
  tracked: true,
  updatedAt: CREATED_AT,
  inventoryLevels: several(levels).map((location) => ({
    id: `gid://shopify/InventoryLevel/${location}?inventory_item_id=${n}`,
    updatedAt: minuteOf(n),
    location: { id: `gid://shopify/Location/${location}`, name: `Store ${location}` },
    quantities: ['available', 'on_hand', 'committed', 'incoming', 'reserved', 'damaged'].map(
      (name, index) => ({
        name,
        quantity: n + index,
      }),
    ),
  })),
  ...changes,
});
