import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { archivesNext, type PlanRunInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { Source } from '../../src/domain/source.ts';
import type { TookBack } from '../../src/domain/undo.ts';
import { cars } from '../../src/syncs/cars/index.ts';
import { defineCommerce } from '../../src/syncs/commerce/index.ts';
import { defineSync, type SyncDefinition } from '../../src/syncs/define-sync.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import { readingOf, tableOfRun } from './activity-harness.ts';
import { createTestDatabase } from './engines.ts';
import { NO_CLIENTS } from './no-clients.ts';
import { NO_NOTIFICATIONS } from './no-notifications.ts';
import { quickRentals } from './quick-rentals.ts';
import { TEST_KEYS } from './test-keys.ts';

export type BedTable =
  'approved_makes' | 'cars' | 'bookings' | 'returns' | 'walk_ins' | 'orders' | 'products';

/** Rows by a small key, each with a small number that decides what is in it. */
export type Shown = Readonly<Record<string, number>>;

const STATUSES = ['active', 'sold', 'pending', 'archived'];

const lead = (key: string, version: number) => ({
  phone: `9${key.padStart(9, '0')}`,
  name: `Customer ${key}`,
  store: 'Suitor Guy - Edappally',
  source: 'memory',
  remarks: version % 2 === 0 ? `said ${version}` : '',
  category: `category ${version}`,
});

const rowOf: Readonly<Record<BedTable, (key: string, version: number) => Record<string, unknown>>> = {
  approved_makes: (key, version) => ({
    person_id: key,
    make: 'AUDI',
    name: `Partner ${version}`,
    rank: ['A', 'B', 'C'][version % 3],
  }),
  cars: (key, version) => ({
    source: 'auctions',
    external_id: key,
    ...Object.fromEntries(
      'domain vin make model generation title fuel transmission color body_style drive_type engine currency location seller url'
        .split(' ')
        .map((column) => [column, null]),
    ),
    vin_valid: null,
    year: 2020 + version,
    mileage_km: null,
    listed_price: null,
    landed_price: 2550,
    images: [],
    issues: [],
    payload: `{"version":${version}}`,
    status: STATUSES[version % STATUSES.length],
    content_hash: String(version),
    seen_at: new Date().toISOString(),
  }),
  bookings: (key, version) => ({
    ...lead(key, version),
    booking_no: key,
    lead_type: 'bookingconfirmation',
  }),
  returns: (key, version) => ({
    ...lead(key, version),
    booking_no: key,
    lead_type: 'return',
    return_date: '2026-11-01',
  }),
  walk_ins: (key, version) => ({
    ...lead(key, version),
    lead_type: 'enquiry',
    enquiry_date: '01-11-2026',
    reason_collected_from_store: version % 3 === 0 ? 'price' : '',
  }),
  orders: (key, version) => record(key, version, 'orders'),
  products: (key, version) => record(key, version, 'products'),
};

const record = (key: string, version: number, dataType: string) => ({
  client_id: 'client-1',
  platform: 'shopify',
  data_type: dataType,
  external_id: key,
  payload: { version },
  source_updated_at: new Date(Date.UTC(2026, 0, 1 + version)).toISOString(),
  content_hash: String(version),
});

/** The real tables of four syncs over rows in memory, loaded by the real activities. Call it at the top level of a file. */
export async function startUndoBed() {
  const database = await createTestDatabase();
  const http = createAgent();
  afterAll(() => http.close());
  const shown = new Map<string, Shown>();
  let marked = 0;
  const sourceOf = (name: BedTable): Source => ({
    setting: 'memory',
    async *fetchPages() {
      const rows = Object.entries(shown.get(name) ?? {}).map(([key, version], index) => ({
        position: index + 1,
        raw: '',
        values: rowOf[name](key, version),
      }));
      marked += 1;
      yield { rows, nextCursor: null, marks: { store: String(10_000 + marked) } };
    },
  });
  const inMemory = (sync: SyncDefinition, names: readonly string[]): SyncDefinition =>
    defineSync({
      ...sync,
      scopeTables: undefined,
      testConnection: undefined,
      enrich: [],
      derive: [],
      tables: sync.tables
        .filter(({ name }) => names.includes(name))
        .map((table) => ({
          ...table,
          source: { setting: 'memory', open: async () => sourceOf(table.name as BedTable) },
          guards: { missingShare: 1, quarantineShare: 1 },
        })),
    });
  const syncs = [
    inMemory(fleet, ['approved_makes']),
    inMemory(cars, ['cars']),
    inMemory(quickRentals, ['bookings', 'returns', 'walk_ins']),
    inMemory(defineCommerce(), ['orders', 'products']),
  ];
  const activities = createActivities({
    database,
    http,
    syncs,
    env: {},
    log: pino({ level: 'silent' }),
    isOpen: async () => true,
    keys: TEST_KEYS,
    clients: NO_CLIENTS,
    ...NO_NOTIFICATIONS,
  });
  const call = <Name extends keyof typeof activities>(
    name: Name,
    ...input: Parameters<(typeof activities)[Name]>
  ): ReturnType<(typeof activities)[Name]> =>
    new MockActivityEnvironment().run(
      activities[name] as (...args: unknown[]) => never,
      ...input,
    ) as ReturnType<(typeof activities)[Name]>;
  const rows = async (query: string): Promise<Record<string, unknown>[]> =>
    (await database.pool.query(query)).rows;

  /** Loads what these tables show in one run. */
  async function run(
    sync: string,
    show: Readonly<Partial<Record<BedTable, Shown>>>,
    input: Partial<PlanRunInput> = {},
  ): Promise<RunId> {
    for (const [name, keys] of Object.entries(show)) shown.set(name, keys);
    const runId = randomUUID() as RunId;
    const plan = await call('planRun', {
      sync,
      runId,
      workflowId: `test/${runId}`,
      tables: Object.keys(show),
      trigger: 'manual',
      logicalAt: new Date().toISOString(),
      ...input,
    });
    for (const { table } of plan.tables) {
      const of = tableOfRun(plan, table);
      const staged = await call('stageTable', { ...of, ...readingOf(plan) });
      if (staged.ended) continue;
      const review = await call('reviewTable', { ...of, staged, kind: plan.kind });
      if (review.verdict === 'same') continue;
      if (review.verdict !== 'pass') throw new Error(`${table}: ${review.verdict} ${review.reason}`);
      const merged = await call('mergeStaged', { ...of, staged, review });
      if (merged.outcome !== 'merged') throw new Error(`${table} was not merged but ${merged.outcome}`);
      if (!archivesNext(of.table, review)) continue;
      await call('archiveMissing', { ...of, staged, review, generation: merged.generation });
    }
    await call('finishRun', { runId });
    return runId;
  }

  async function undo(of: RunId): Promise<TookBack & { readonly runId: RunId }> {
    const runId = randomUUID() as RunId;
    await call('planUndo', {
      runId,
      of,
      workflowId: `undo/${of}`,
      logicalAt: new Date().toISOString(),
      triggeredBy: 'test',
    });
    const took = await call('takeBack', { runId, of, by: 'test', reason: 'a test' });
    await call('finishRun', { runId, ...(took.outcome === 'refused' ? { status: 'failed' as const } : {}) });
    return { ...took, runId };
  }

  const LIVE = ['approved_makes', 'cars', 'leads', 'client_data', 'approved_makes_archive', 'cars_archive'];

  /** Everything that a run may change and an undo has to put back. */
  async function state(): Promise<Record<string, unknown>> {
    const kept: Record<string, unknown> = {};
    for (const table of LIVE) {
      // Numbers of rows that were inserted again are new.
      kept[table] = (await rows(`SELECT to_jsonb(t) AS row FROM ${table} t`))
        .map(({ row }) => JSON.stringify(row))
        .sort();
    }
    kept['watermarks'] = await rows('SELECT sync, name, value, run_id FROM watermarks ORDER BY sync, name');
    kept['table_state'] = await rows(
      `SELECT sync, table_name, merged_run_id, source_fetched_at FROM table_state
       WHERE merged_run_id IS NOT NULL ORDER BY sync, table_name`,
    );
    return kept;
  }

  return { database, call, run, undo, state, rows, syncs };
}
