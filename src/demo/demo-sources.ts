import type { Hono } from 'hono';
import { carsDemo } from '../syncs/cars/demo-source.ts';
import { amazonDemo } from '../syncs/commerce/demo-amazon.ts';
import { shopifyDemo } from '../syncs/commerce/demo-shopify.ts';
import { fleetDemo } from '../syncs/fleet/demo-source.ts';
import { rentalsDemo } from '../syncs/rentals/demo-rentals.ts';
import { salesDemo } from '../syncs/sales/demo-source.ts';

/** What one sync adds to the demo source server. */
export interface DemoSource {
  /** The environment variables that point the sync at a demo source server. */
  settings(baseUrl: string): Record<string, string>;
  /** Adds the routes that those variables name. */
  mount(app: Hono, now: () => Date): void;
}

export const DEMO_SOURCES: readonly DemoSource[] = [
  fleetDemo,
  shopifyDemo,
  amazonDemo,
  rentalsDemo,
  carsDemo,
  salesDemo,
];
