import { sql } from 'kysely';
import { z } from 'zod';
import { createLwaTokenCache } from '../../connectors/amazon/lwa-token-cache.ts';
import { isCredential, readCredential, readStateOfOwner } from '../../db/clients.ts';
import { recordClientRunIn } from '../../db/record-client-run.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { COMMERCE_TASK_QUEUE } from '../../domain/ids.ts';
import { httpUrl, wholeNumber } from '../../settings.ts';
import { defineSync, type SyncDefinition } from '../define-sync.ts';
import { createOpenShop } from './open-shop.ts';
import { shopTable } from './tables.ts';

const HOUR_MS = 3_600_000;

/** The records that each platform has. */
const DATA_TYPES = {
  shopify: ['orders', 'products', 'customers', 'inventory'],
  amazon: ['orders', 'products', 'inventory'],
} as const;

/** Shopify and Amazon shops of clients. Each run is for one connection of one client, started by `syncClient`. */
export function defineCommerce(): SyncDefinition {
  const openShop = createOpenShop(createLwaTokenCache());
  return defineSync({
    name: 'commerce',
    title: 'Commerce: Shopify and Amazon shops of clients',
    schema: 'commerce',
    settings: z.object({
      COMMERCE_LOOKBACK_DAYS: wholeNumber(1, 3_650, 30),
      COMMERCE_CONCURRENCY: wholeNumber(1, 1_000, 10),
      SHOPIFY_BASE_URL: httpUrl(),
      AMAZON_SPAPI_BASE_URL: httpUrl(),
      AMAZON_LWA_URL: httpUrl(),
    }),
    timeZone: () => 'UTC',
    schedules: () => [],
    windows: 'none',
    periodMs: 24 * HOUR_MS,
    runTimeoutMs: 6 * HOUR_MS,
    sourceQueue: {
      name: COMMERCE_TASK_QUEUE,
      concurrency: (settings) => Number(settings['COMMERCE_CONCURRENCY']),
    },
    async testConnection(resources, signal) {
      const { shop } = await openShop(resources);
      try {
        await shop.testConnection(signal);
      } catch (error) {
        // A shop that is busy has not refused us; its first data type waits as long as it asks for.
        if (!(error instanceof SyncFailure && error.code === 'SourceThrottled')) throw error;
      }
    },
    // A shop limits us by its own rate, so one that hangs holds one place and not one for each data type.
    reads: 'one_by_one',
    async scopeTables({ db }, scope) {
      return DATA_TYPES[(await readCredential(db, scope)).platform_type];
    },
    async scopeTitle(db, scope) {
      const { rows } = await sql<{ title: string }>`
        SELECT platform_type || ' ' || connection_name || ' of ' || client_id AS title
        FROM commerce.client_api_credentials WHERE ${isCredential(scope)}`.execute(db);
      return rows[0]?.title;
    },
    clients: {
      recordRun: (tx, credentialId, run) => recordClientRunIn(tx, { ...run, credentialId }),
      readClient: readStateOfOwner,
    },
    tables: DATA_TYPES.shopify.map((dataType) => shopTable(dataType, openShop)),
    enrich: [],
    derive: [],
  });
}
