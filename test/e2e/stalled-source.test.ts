import { pino } from 'pino';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { csvFeed } from '../../src/connectors/csv/csv-feed.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { TableDefinition } from '../../src/syncs/define-sync.ts';
import { fleet as fleetSync } from '../../src/syncs/fleet/index.ts';
import { cancelRun, startRun, type StartedRun } from '../../src/temporal/runs.ts';
import { createWorker } from '../../src/temporal/worker.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { testEngine } from '../support/engines.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { answerFleet, runResult, startFleetHarness, tableOf } from '../support/sync-harness.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const IMPATIENT = 'impatient';

/** The fleet sync as it is, but that vehicles wait for their source as briefly as a test does. */
const impatientSync = {
  ...fleetSync,
  tables: fleetSync.tables.map((table) => (table.name === 'vehicles' ? impatient(table) : table)),
};

function impatient(table: TableDefinition): TableDefinition {
  const columns = Object.keys(table.row.shape).map((name) => ({ name, header: name }));
  const waits = { headersTimeoutMs: 300, bodyIdleTimeoutMs: 300 };
  return {
    ...table,
    source: csvFeed({ table: table.name, setting: table.source.setting, columns, ...waits }),
  };
}

async function startImpatient(input: Partial<RunSyncInput> = {}): Promise<StartedRun> {
  return startRun(fleet.client, { sync: 'fleet', ...input }, IMPATIENT);
}

const connection = await NativeConnection.connect({ address: (await testEngine('/temporal')).address });
const http = createAgent();
const worker = await createWorker({
  connection,
  client: fleet.client,
  database: fleet.database,
  http,
  keys: TEST_KEYS,
  syncs: [impatientSync],
  env: fleet.env,
  log: pino({ level: 'silent' }),
  bundlePath: await ensureWorkflowBundle(SHARED_BUILDS),
  taskQueue: IMPATIENT,
});
const running = worker.run();
afterAll(async () => {
  worker.shutdown();
  await running;
  await http.close();
  await connection.close();
});

beforeAll(() => fleet.run());

test('a source that does not answer in time fails its table only', async () => {
  const before = await liveTables(fleet);
  fleet.server.requests.clear();
  fleet.server.answer(VEHICLES, () => undefined);
  const { workflowId, runId } = await startImpatient();
  await fleet.client.workflow.getHandle(workflowId, runId).result();
  const result = await runResult(fleet.database, runId);
  expect(result).toMatchObject({ status: 'completed_with_errors', success_count: 4, failure_count: 1 });
  expect(tableOf(result, 'vehicles').error).toMatch(/FMS_VEHICLES_CSV_URL.*no answer in time/);
  expect(fleet.server.requests.get(VEHICLES)).toBe(4);
  expect(await liveTables(fleet)).toEqual(before);
}, 60_000);

test('a source that stops in the middle of the file fails its table, nothing of it is merged', async () => {
  const before = await liveTables(fleet);
  fleet.server.answer(VEHICLES, (_request, response) => {
    response.writeHead(200).write(vehicleFile(8));
  });
  const { workflowId, runId } = await startImpatient({ tables: ['vehicles'] });
  await fleet.client.workflow.getHandle(workflowId, runId).result();
  const result = await runResult(fleet.database, runId);
  expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'failed', inserted: 0, archived: 0 });
  expect(tableOf(result, 'vehicles').error).toMatch(/the file stopped arriving/);
  expect(await liveTables(fleet)).toEqual(before);
}, 60_000);

test('a run cancelled while its source stands still ends its row, keeps live rows and drops its staging', async () => {
  const before = await liveTables(fleet);
  answerFleet(fleet.server);
  const asked = new Promise<void>((resolve) => {
    fleet.server.answer(VEHICLES, (_request, response) => {
      response.writeHead(200).write(vehicleFile(8));
      resolve();
    });
  });
  const { workflowId, runId } = await startRun(fleet.client, { sync: 'fleet' });
  await asked;
  await cancelRun(fleet.client, workflowId, runId);
  await expect(fleet.client.workflow.getHandle(workflowId, runId).result()).rejects.toThrow(/cancelled/i);
  const result = await runResult(fleet.database, runId);
  expect(result).toMatchObject({ status: 'cancelled', error_message: 'The run was cancelled.' });
  expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'failed', inserted: 0, archived: 0 });
  expect(await liveTables(fleet)).toEqual(before);
  expect(await fleet.rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual(
    [],
  );
});
