import type { SyncDefinition } from './define-sync.ts';
import { cars } from './cars/index.ts';
import { defineCommerce } from './commerce/index.ts';
import { fleet } from './fleet/index.ts';
import { defineRentals } from './rentals/index.ts';
import { sales } from './sales/index.ts';

/** Every sync. A new one is a folder beside this file and a line here. */
export const syncs: readonly SyncDefinition[] = [fleet, defineCommerce(), defineRentals(), cars, sales];
