import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import { cars } from '../../src/syncs/cars/index.ts';
import { startRun } from '../../src/temporal/runs.ts';
import type { Client } from '@temporalio/client';
import { afterAll } from 'vitest';
import { createTestDatabase, createTestNamespace, type TestDatabase } from './engines.ts';
import { AUCTIONS_KEY, type FakeAuctions, startFakeAuctions } from './fake-auctions.ts';
import { startWorkerHere, type WorkerTarget } from './fault-worker.ts';
import { runResult } from './sync-harness.ts';

export interface CarsHarness {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly auctions: FakeAuctions;
  readonly target: WorkerTarget;
  /** Runs to the end, however it ends, and returns the result. */
  run(input?: Partial<RunSyncInput>): Promise<RunResult>;
  /** The row of the run in `cars_sync_log`. */
  logOf(runId: RunId): Promise<Record<string, unknown> | undefined>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/**
 * The cars sync on real engines, with its source a real HTTP server.
 *
 * @param worker `here` for one in this process; `none` when the test brings its own
 */
export async function startCarsHarness(worker: 'here' | 'none' = 'here'): Promise<CarsHarness> {
  const [database, { address, namespace, client }, auctions] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startFakeAuctions(),
  ]);
  const target: WorkerTarget = {
    address,
    namespace,
    taskQueue: 'durasync',
    databaseUrl: database.databaseUrl,
    env: {
      AUCTIONS_API_BASE_URL: auctions.url,
      AUCTIONS_API_KEY: AUCTIONS_KEY,
      CARS_PAGE_DELAY_MS: '0',
    },
    bundles: SHARED_BUILDS,
  };
  if (worker === 'here') {
    const running = await startWorkerHere(target, [cars]);
    afterAll(() => running.stop());
  }
  const rows = async (query: string): Promise<Record<string, unknown>[]> =>
    (await database.pool.query(query)).rows;
  return {
    database,
    client,
    auctions,
    target,
    rows,
    run: async (input = {}) => {
      const { runId, workflowId } = await startRun(client, { sync: 'cars', ...input });
      await client.workflow
        .getHandle(workflowId, runId)
        .result()
        .catch(() => undefined);
      return runResult(database, runId);
    },
    logOf: async (runId) => (await rows(`SELECT * FROM cars_sync_log WHERE id = '${runId}'`))[0],
  };
}
