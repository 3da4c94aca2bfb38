import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { RunId } from '../../../src/domain/ids.ts';
import type { SyncActivities } from '../../../src/domain/contracts.ts';
import type { RunResult } from '../../../src/domain/run-result.ts';
import { fleet } from '../../../src/syncs/fleet/index.ts';
import { installRuntime } from '../../../src/temporal/worker.ts';
import { TABLES } from '../exports.ts';

/**
 * A worker whose activities do nothing, so that a run costs only what Temporal itself costs: the same workflow
 * with the same five tables, one enrich and one derive step.
 */
const [address = '', namespace = '', taskQueue = '', codePath = ''] = process.argv.slice(2);

const guards = { missingShare: 1, quarantineShare: 1, growthShare: 1 };
const finished = (runId: RunId): RunResult => ({
  run_id: runId,
  sync: fleet.name,
  status: 'completed',
  start_time: '',
  end_time: '',
  duration_seconds: 0,
  total_tables: TABLES.length,
  success_count: TABLES.length,
  failure_count: 0,
  total_rows_processed: 0,
  error_message: null,
  tables: [],
  enrich: [],
  derive: [],
  notices: [],
});
const counts = { inserted: 1, updated: 0, unchanged: 0 };

const activities: SyncActivities = {
  planRun: async ({ runId, trigger, logicalAt }) => ({
    runId,
    sync: fleet.name,
    scope: '',
    kind: 'sync',
    trigger,
    logicalAt,
    timeZone: 'UTC',
    window: null,
    full: false,
    tables: TABLES.map(({ name, definition }) => ({
      table: name,
      source: definition.source.setting,
      archives: true,
      guards,
    })),
    enrich: fleet.enrich.map(({ name, after }) => ({ step: name, after })),
    derive: fleet.derive.map(({ name, after }) => ({ step: name, after })),
    sourceQueue: null,
    deadlineMs: 60_000,
    holdMs: 60_000,
  }),
  testConnection: async () => undefined,
  stageTable: async ({ table }) => ({
    relation: table.table,
    sourceFetchedAt: new Date().toISOString(),
    fetched: 1,
    staged: 1,
    quarantined: 0,
    duplicates: 0,
    unreadable: 0,
    drift: [],
  }),
  reviewTable: async ({ table }) => ({
    ...counts,
    verdict: 'pass',
    reason: null,
    generation: 0,
    relation: table.table,
    rows: 1,
    missing: 0,
    mayArchive: true,
    notices: [],
  }),
  mergeStaged: async () => ({ ...counts, outcome: 'merged', restored: 0, generation: 1, superseded: [] }),
  archiveMissing: async () => ({ outcome: 'archived', archived: 0 }),
  enrichTable: async ({ step }) => ({ step: step.step, success: true, summary: '', counts: {} }),
  deriveTable: async ({ step }) => ({ step: step.step, success: true, summary: '', counts: {} }),
  closeTable: async () => undefined,
  keepStaging: async () => undefined,
  finishRun: async ({ runId }) => finished(runId),
  sweepRuns: async () => 0,
};

installRuntime(pino({ level: 'silent' }));
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowBundle: { codePath },
  activities,
});
process.once('SIGTERM', () => worker.shutdown());
console.log('ready');
await worker.run();
await connection.close();
