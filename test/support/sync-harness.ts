import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunResult, TableResult } from '../../src/domain/run-result.ts';
import { readRunResult } from '../../src/db/run-result.ts';
import { syncs } from '../../src/syncs/index.ts';
import { startRun } from '../../src/temporal/runs.ts';
import { createWorker } from '../../src/temporal/worker.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createTestDatabase, createTestNamespace, type TestDatabase } from './engines.ts';
import { type CsvServer, startCsvServer } from './csv-server.ts';
import { activityFile, FLEET_PATHS, loanFile, makeFile, partnerFile, vehicleFile } from './fleet-files.ts';
import { TEST_KEYS } from './test-keys.ts';

export interface FleetHarness {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly server: CsvServer;
  /** The variables the worker reads at every step; a test may change them. */
  readonly env: Record<string, string | undefined>;
  /** Runs to the end and returns the result. */
  run(input?: Partial<RunSyncInput>): Promise<RunResult>;
  /** The rows of one query. */
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/**
 * The fleet sync on real engines with a worker in this process and exports from a real HTTP server: ten rows
 * in each table. Call it at the top level of a test file.
 *
 * @param variables more of them for the worker
 */
export async function startFleetHarness(
  variables: Readonly<Record<string, string>> = {},
): Promise<FleetHarness> {
  const [database, namespace, server] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startCsvServer(),
  ]);
  const { client, address } = namespace;
  const env: Record<string, string | undefined> = { GEOCODE_QPS: '1000', ...variables };
  for (const [setting, path] of Object.entries(FLEET_PATHS)) env[setting] = server.url + path;
  answerFleet(server);
  const connection = await NativeConnection.connect({ address });
  const http = createAgent();
  const worker = await createWorker({
    connection,
    client,
    database,
    http,
    keys: TEST_KEYS,
    syncs,
    env,
    log: pino({ level: 'silent' }),
    bundlePath: await ensureWorkflowBundle(SHARED_BUILDS),
  });
  const running = worker.run();
  afterAll(async () => {
    worker.shutdown();
    await running;
    await http.close();
    await connection.close();
  });
  return {
    database,
    client,
    server,
    env,
    run: async (input = {}) => {
      const { runId, workflowId } = await startRun(client, { sync: 'fleet', ...input });
      await client.workflow.getHandle(workflowId, runId).result();
      return runResult(database, runId);
    },
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}

/** Ten rows in each table. */
export function answerFleet(server: CsvServer): void {
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(10));
  server.answer(FLEET_PATHS.FMS_PARTNERS_CSV_URL, partnerFile(10));
  server.answer(FLEET_PATHS.FMS_LOAN_HISTORY_CSV_URL, loanFile(10));
  server.answer(FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL, activityFile(10));
  server.answer(FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL, makeFile(10));
}

export async function runResult(database: TestDatabase, runId: RunId): Promise<RunResult> {
  const result = await readRunResult(database.db, runId);
  if (!result) throw new Error(`run ${runId} has no row`);
  return result;
}

/** One table of a result. */
export function tableOf(result: RunResult, name: string): TableResult {
  const table = result.tables.find((each) => each.table === name);
  if (!table) throw new Error(`the result has no table ${name}`);
  return table;
}
