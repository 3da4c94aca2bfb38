import type { SyncDefinition } from '../../src/syncs/define-sync.ts';
import { defineRentals } from '../../src/syncs/rentals/index.ts';

/** The rentals with calls that are hardly kept apart, so that tests are fast. */
export const quickRentals: SyncDefinition = defineRentals({ apartMs: 2, firstWaitMs: 5 });
