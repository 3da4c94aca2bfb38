import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { afterAll } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import type { SyncDefinition } from '../../src/syncs/define-sync.ts';
import { type CsvServer, startCsvServer } from './csv-server.ts';
import { createTestDatabase, createTestNamespace, type TestDatabase } from './engines.ts';
import { answerNight, faultFleet, firstNight, fleetVariables, type FleetSetting } from './fault-fleet.ts';
import { startWorkerHere, type WorkerTarget } from './fault-worker.ts';
import { FLEET_PATHS } from './fleet-files.ts';
import { type StalledAnswer, stalledAnswer } from './stalled-answer.ts';
import { runResult } from './sync-harness.ts';
import { waitUntil } from './wait-until.ts';

interface FaultRun {
  readonly runId: RunId;
  readonly handle: WorkflowHandle;
  /** Waits for the workflow to end, however it ends, and reads the run's row. */
  ended(): Promise<RunResult>;
}

export interface FaultHarness {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly server: CsvServer;
  readonly target: WorkerTarget;
  /** Starts a run under an id of its own, so that several can be under way. */
  start(input?: Partial<RunSyncInput>, taskQueue?: string): Promise<FaultRun>;
  /** Lets an export stop before its last lines. */
  stall(setting: FleetSetting, text: string, linesHeldBack: number): StalledAnswer;
  /** Waits until a run has committed so many pages of a table. */
  staged(runId: RunId, table: string, pages: number): Promise<void>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/** The fleet with small pages, the first night's exports and one worker. Call it at the top level of a test file. */
export async function startFaultHarness(
  syncs: readonly SyncDefinition[] = [faultFleet],
): Promise<FaultHarness> {
  const [database, { address, namespace, client }, server] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startCsvServer(),
  ]);
  answerNight(server, '', firstNight);
  const target: WorkerTarget = {
    address,
    namespace,
    taskQueue: 'durasync',
    databaseUrl: database.databaseUrl,
    env: fleetVariables(server, ''),
    bundles: SHARED_BUILDS,
  };
  const worker = await startWorkerHere(target, syncs);
  afterAll(() => worker.stop());
  return {
    database,
    client,
    server,
    target,
    start: async (input = {}, taskQueue = target.taskQueue) => {
      const handle = await client.workflow.start('runSync', {
        taskQueue,
        workflowId: `test/${randomUUID()}`,
        args: [{ sync: 'fleet', ...input }],
      });
      const runId = handle.firstExecutionRunId as RunId;
      const over = (): Promise<unknown> => handle.result().catch(() => undefined);
      return { runId, handle, ended: () => over().then(() => runResult(database, runId)) };
    },
    stall: (setting, text, linesHeldBack) => {
      const stalled = stalledAnswer(text, linesHeldBack);
      server.answer(FLEET_PATHS[setting], stalled.answer);
      return stalled;
    },
    staged: (runId, table, pages) =>
      waitUntil(`${pages} pages of ${table} are staged`, async () => {
        const { rowCount } = await database.pool.query(
          `SELECT 1 FROM durasync.staging_progress WHERE run_id = $1 AND table_name = $2 AND page >= $3`,
          [runId, table, pages],
        );
        return rowCount === 1;
      }),
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}

/** Every trace of staging. */
export const stagingLeft = ({ rows }: FaultHarness): Promise<Record<string, unknown>[]> =>
  rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'
        UNION ALL SELECT run_id || table_name FROM durasync.staging_progress`);
