import { fraction, hash, pick } from '../fleet/demo-random.ts';
import type { AmazonItem, AmazonSeller } from './demo-amazon-api.ts';

const SEED = 20_260_101;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
const ORDER_EVERY_MS = 4 * MS_PER_HOUR;
const ORDERS_SHOWN_DAYS = 60;
const US = 'ATVPDKIKX0DER';

const THINGS = [
  ['KETTLE', 'Kettle', 39.9],
  ['LAMP', 'Desk lamp', 24.5],
  ['MUG', 'Mug', 9.95],
  ['BOTTLE', 'Water bottle', 17],
  ['TOWEL', 'Towel', 14.25],
  ['APRON', 'Apron', 21],
  ['CLOCK', 'Wall clock', 32],
  ['BASKET', 'Basket', 18.75],
  ['PILLOW', 'Pillow', 27.4],
  ['TRAY', 'Serving tray', 22.6],
  ['VASE', 'Vase', 29],
  ['BRUSH', 'Dish brush', 6.5],
] as const;
const COLOURS = ['BLUE', 'GREEN', 'WHITE'] as const;

const PRODUCTS = THINGS.flatMap(([code, name, price], thing) =>
  COLOURS.map((colour, number) => ({
    index: thing * COLOURS.length + number,
    sku: `DEMO-${code}-${colour}`,
    asin: `B0DEMO${String(1000 + thing * COLOURS.length + number)}`,
    title: `Demo ${name}, ${colour.toLowerCase()}`,
    colour: colour.toLowerCase(),
    price,
  })),
);
type Product = (typeof PRODUCTS)[number];

/** A made-up seller whose data depends on nothing but the time: new orders, orders that ship, stock that moves. */
export function demoAmazonSeller(now: () => Date): AmazonSeller {
  return {
    sellerId: 'DEMOSELLER01',
    storeName: 'Durasync demo store',
    clientId: 'amzn1.application-oa2-client.demo',
    clientSecret: 'demo-client-secret',
    refreshToken: 'Atzr|demo-refresh-token',
    marketplaces: [{ id: US, countryCode: 'US', name: 'Amazon.com', currency: 'USD' }],
    orders: () => orders(now().getTime()),
    listings: () => PRODUCTS.map((product) => listing(product, now().getTime())),
    catalogItems: () => PRODUCTS.map(catalogItem),
    inventory: () => PRODUCTS.map((product) => inventorySummary(product, now().getTime())),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const usd = (amount: number) => ({ amount: amount.toFixed(2), currencyCode: 'USD' });

function orders(nowMs: number): AmazonItem[] {
  const first = Math.ceil((nowMs - ORDERS_SHOWN_DAYS * MS_PER_DAY) / ORDER_EVERY_MS);
  const shown: AmazonItem[] = [];
  for (let index = first; index * ORDER_EVERY_MS <= nowMs; index += 1) {
    const createdMs = Math.floor(index * ORDER_EVERY_MS + fraction(SEED, index, 1) * ORDER_EVERY_MS);
    if (createdMs <= nowMs) shown.push(order(index, createdMs, nowMs));
  }
  return shown;
}

function order(index: number, createdMs: number, nowMs: number): AmazonItem {
  const confirmedMs = createdMs + MS_PER_HOUR;
  const endedMs = createdMs + (20 + 24 * fraction(SEED, index, 2)) * MS_PER_HOUR;
  const ending = fraction(SEED, index, 3) < 0.04 ? 'CANCELLED' : 'SHIPPED';
  const [status, changedMs] =
    nowMs >= endedMs
      ? ([ending, endedMs] as const)
      : nowMs >= confirmedMs
        ? (['UNSHIPPED', confirmedMs] as const)
        : (['PENDING', createdMs] as const);
  const lines = Array.from({ length: 1 + (hash(SEED, index, 4) % 3) }, (_, line) => ({
    product: pick(PRODUCTS, hash(SEED, index, 5, line)),
    quantity: 1 + (hash(SEED, index, 6, line) % 2),
  }));
  const total = lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);
  const digits = String(hash(SEED, index, 7)).padStart(10, '0');
  return {
    orderId: `900-${digits.slice(0, 7)}-${String(index).padStart(7, '0').slice(-7)}`,
    createdTime: iso(createdMs),
    lastUpdatedTime: iso(Math.floor(changedMs)),
    salesChannel: { channelName: 'AMAZON', marketplaceId: US, marketplaceName: 'Amazon.com' },
    proceeds: { grandTotal: usd(total) },
    fulfillment: { fulfillmentStatus: status, fulfilledBy: 'AMAZON', fulfillmentServiceLevel: 'STANDARD' },
    orderItems: lines.map(({ product, quantity }, line) => ({
      orderItemId: `${index}${line}`,
      quantityOrdered: quantity,
      product: {
        asin: product.asin,
        title: product.title,
        sellerSku: product.sku,
        condition: { conditionType: 'NEW', conditionSubtype: 'NEW' },
        price: { unitPrice: usd(product.price) },
      },
      proceeds: { proceedsTotal: usd(product.price * quantity) },
      fulfillment:
        status === 'SHIPPED'
          ? { quantityFulfilled: quantity, quantityUnfulfilled: 0 }
          : { quantityFulfilled: 0, quantityUnfulfilled: status === 'CANCELLED' ? 0 : quantity },
    })),
  };
}

/** Each listing is edited every one to four weeks. */
function listing({ index, sku, asin, title, price }: Product, nowMs: number): AmazonItem {
  const everyMs = (7 + (hash(SEED, index, 8) % 21)) * MS_PER_DAY;
  const edit = Math.floor(nowMs / everyMs);
  const createdMs = Date.UTC(2025, index % 12, 1 + (index % 28));
  return {
    sku,
    summaries: [
      {
        marketplaceId: US,
        asin,
        productType: 'HOME',
        conditionType: 'new_new',
        status: ['BUYABLE', 'DISCOVERABLE'],
        fnSku: `X00DEMO${String(index).padStart(3, '0')}`,
        itemName: title,
        createdDate: iso(createdMs),
        lastUpdatedDate: iso(Math.max(createdMs, edit * everyMs)),
      },
    ],
    offers: [
      { marketplaceId: US, offerType: 'B2C', price: usd(price + (hash(SEED, index, 9, edit) % 200) / 100) },
    ],
    fulfillmentAvailability: [{ fulfillmentChannelCode: 'AMAZON_NA' }],
  };
}

const catalogItem = ({ asin, title, colour }: Product): AmazonItem => ({
  asin,
  summaries: [{ marketplaceId: US, brand: 'Durasync demo', color: colour, itemName: title }],
  identifiers: [{ marketplaceId: US, identifiers: [{ identifierType: 'ASIN', identifier: asin }] }],
});

/** Stock moves at midnight UTC. */
function inventorySummary({ index, sku, asin, title }: Product, nowMs: number): AmazonItem {
  const day = Math.floor(nowMs / MS_PER_DAY);
  const fulfillable = hash(SEED, index, 10, day) % 120;
  const inbound = hash(SEED, index, 11, Math.floor(day / 7)) % 60;
  const reserved = hash(SEED, index, 12, day) % 6;
  return {
    asin,
    fnSku: `X00DEMO${String(index).padStart(3, '0')}`,
    sellerSku: sku,
    condition: 'NewItem',
    productName: title,
    lastUpdatedTime: iso(day * MS_PER_DAY),
    totalQuantity: fulfillable + inbound + reserved,
    inventoryDetails: {
      fulfillableQuantity: fulfillable,
      inboundWorkingQuantity: 0,
      inboundShippedQuantity: inbound,
      inboundReceivingQuantity: 0,
      reservedQuantity: {
        totalReservedQuantity: reserved,
        pendingCustomerOrderQuantity: reserved,
        pendingTransshipmentQuantity: 0,
        fcProcessingQuantity: 0,
      },
    },
  };
}
