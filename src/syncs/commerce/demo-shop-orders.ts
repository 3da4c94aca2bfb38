import { hash, pick } from '../fleet/demo-random.ts';
import { catalogueAt } from './demo-shop-catalogue.ts';
import type { DemoProduct, DemoShop, DemoVariant } from './demo-shop-catalogue.ts';

const MS_PER_HOUR = 3_600_000;
const ORDER_EVERY_MS = 2 * MS_PER_HOUR;
const SHOWN_FOR_MS = 40 * 24 * MS_PER_HOUR;
export const CUSTOMER_COUNT = 120;

interface DemoLine {
  readonly id: number;
  readonly product: DemoProduct;
  readonly variant: DemoVariant;
  readonly quantity: number;
}

export interface DemoOrder {
  readonly id: number;
  /** Counts the shop's orders, 120 in ten days. */
  readonly number: number;
  /** 0 to 119; every customer orders once in ten days. */
  readonly customer: number;
  readonly placedAtMs: number;
  /** Null while it is open. */
  readonly closed: { readonly how: 'fulfilled' | 'cancelled'; readonly atMs: number } | null;
  readonly lines: readonly DemoLine[];
}

/** The orders of the last 40 days, some 480, oldest first. An order is open for a few hours to two days. */
export function ordersAt(shop: DemoShop, nowMs: number): DemoOrder[] {
  const last = Math.floor(nowMs / ORDER_EVERY_MS);
  const first = Math.ceil((nowMs - SHOWN_FOR_MS) / ORDER_EVERY_MS);
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  // Prices hold for the day of the order, so that an order never changes them later.
  const catalogues = new Map<number, DemoProduct[]>();
  const catalogueOf = (placedAtMs: number): DemoProduct[] => {
    const dayMs = placedAtMs - (placedAtMs % (24 * MS_PER_HOUR));
    const known = catalogues.get(dayMs) ?? catalogueAt(shop, dayMs);
    catalogues.set(dayMs, known);
    return known;
  };
  return numbers
    .map((number) => orderAt(shop.seed, number, nowMs, catalogueOf))
    .filter(({ placedAtMs }) => placedAtMs <= nowMs);
}

function orderAt(
  seed: number,
  number: number,
  nowMs: number,
  catalogueOf: (placedAtMs: number) => DemoProduct[],
): DemoOrder {
  const id = seed * 1_000_000_000 + number;
  const placedAtMs = number * ORDER_EVERY_MS + (hash(seed, number) % ORDER_EVERY_MS);
  const cancelled = hash(seed, number, 1) % 40 === 0;
  const closedAtMs = placedAtMs + (cancelled ? 1 : 4 + (hash(seed, number, 2) % 44)) * MS_PER_HOUR;
  // Every fortieth is longer than what a page brings along.
  const lineCount = number % 40 === 0 ? 8 : 1 + (hash(seed, number, 3) % 4);
  const catalogue = catalogueOf(placedAtMs);
  return {
    id,
    number,
    customer: (number * 37) % CUSTOMER_COUNT,
    placedAtMs,
    closed: closedAtMs > nowMs ? null : { how: cancelled ? 'cancelled' : 'fulfilled', atMs: closedAtMs },
    lines: Array.from({ length: lineCount }, (_, index) => {
      const product = pick(catalogue, hash(seed, number, 4, index));
      const variant = pick(product.variants, hash(seed, number, 5, index));
      return { id: id * 10 + index, product, variant, quantity: 1 + (hash(seed, number, 6, index) % 3) };
    }),
  };
}
