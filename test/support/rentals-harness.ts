import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import { createTestDatabase, createTestNamespace, type TestDatabase } from './engines.ts';
import { type FakeRentals, startFakeRentals } from './fake-rentals.ts';
import { startWorkerHere, type WorkerTarget } from './fault-worker.ts';
import { quickRentals } from './quick-rentals.ts';
import { runResult } from './sync-harness.ts';

export interface RentalsHarness {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly api: FakeRentals;
  readonly target: WorkerTarget;
  /** Runs to the end, under an id of its own, and returns the result. */
  run(input?: Partial<RunSyncInput>): Promise<RunResult>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/** The rentals on real engines with one worker and the software over real HTTP. Call it at the top level of a file. */
export async function startRentalsHarness(syncs = [quickRentals]): Promise<RentalsHarness> {
  const [database, { client, address, namespace }, api] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startFakeRentals(),
  ]);
  const target: WorkerTarget = {
    address,
    namespace,
    taskQueue: 'durasync',
    databaseUrl: database.databaseUrl,
    env: { RETURN_API_BASE_URL: api.url, RETURN_API_KEY: 'rental-s3cret' },
    bundles: SHARED_BUILDS,
  };
  const worker = await startWorkerHere(target, syncs);
  afterAll(() => worker.stop());
  return {
    database,
    client,
    api,
    target,
    run: async (input = {}) => {
      const handle = await client.workflow.start('runSync', {
        taskQueue: target.taskQueue,
        workflowId: `test/${randomUUID()}`,
        args: [{ sync: 'rentals', ...input }],
      });
      await handle.result();
      return runResult(database, handle.firstExecutionRunId as RunId);
    },
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}
