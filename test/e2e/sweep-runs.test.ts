import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { sweepRuns } from '../../activities/sweep-runs.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { holdId } from '../../src/domain/ids.ts';
import { startSweep } from '../../src/temporal/runs.ts';
import { answerNight, faultFleet, firstNight } from '../support/fault-fleet.ts';
import { startFaultHarness, stagingLeft } from '../support/fault-harness.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { runResult, tableOf } from '../support/sync-harness.ts';
import { NO_CLIENTS } from '../support/no-clients.ts';
import { NO_NOTIFICATIONS } from '../support/no-notifications.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const fleet = await startFaultHarness();
const only = { tables: ['vehicles'] };

afterEach(() => answerNight(fleet.server, '', firstNight));

/** As the worker does at its start and every hour. Returns how many rows it ended. */
async function sweep(): Promise<unknown> {
  await startSweep(fleet.client);
  return fleet.client.workflow.getHandle('sweep-runs').result();
}

test('a terminated run ends as failed and its staging is dropped; an open one is left alone', async () => {
  const stalled = fleet.stall('FMS_VEHICLES_CSV_URL', firstNight.FMS_VEHICLES_CSV_URL, 100);
  const [lost, open] = [await fleet.start(only), await fleet.start(only)];
  await fleet.staged(lost.runId, 'vehicles', 5);
  await fleet.staged(open.runId, 'vehicles', 5);
  await lost.handle.terminate('by the test');
  expect(await sweep()).toBe(1);
  const result = await runResult(fleet.database, lost.runId);
  expect(result).toMatchObject({ status: 'failed', error_message: expect.stringContaining('terminated') });
  expect(tableOf(result, 'vehicles').status).toBe('failed');
  expect(await runResult(fleet.database, open.runId)).toMatchObject({ status: 'running' });
  stalled.release();
  expect(await open.ended()).toMatchObject({ status: 'completed', total_rows_processed: 1500 });
  expect(await sweep()).toBe(0);
  expect(await stagingLeft(fleet)).toEqual([]);
});

test('a held run stays held while its decision is waited for, and ends as rejected when nobody waits', async () => {
  fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(100));
  const held = await fleet.start(only);
  expect(await held.ended()).toMatchObject({ status: 'held' });
  expect(await sweep()).toBe(0);
  expect(await runResult(fleet.database, held.runId)).toMatchObject({ status: 'held' });
  await fleet.client.workflow.getHandle(holdId(held.runId)).terminate('by the test');
  expect(await sweep()).toBe(1);
  expect(await runResult(fleet.database, held.runId)).toMatchObject({
    status: 'rejected',
    error_message: expect.stringContaining('Start a new run'),
  });
  expect(await stagingLeft(fleet)).toEqual([]);
  expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 1500 }]);
});

test('a run that ends by itself during the sweep stays as it ended', async () => {
  const stalled = fleet.stall('FMS_VEHICLES_CSV_URL', firstNight.FMS_VEHICLES_CSV_URL, 1);
  const run = await fleet.start(only);
  await fleet.staged(run.runId, 'vehicles', 5);
  const http = createAgent();
  const swept = await sweepRuns({
    database: fleet.database,
    syncs: [faultFleet],
    env: {},
    log: pino({ level: 'silent' }),
    http,
    keys: TEST_KEYS,
    ...NO_NOTIFICATIONS,
    clients: NO_CLIENTS,
    isOpen: async () => {
      stalled.release();
      await run.ended();
      return false;
    },
  });
  await http.close();
  expect(swept).toBe(0);
  expect(await runResult(fleet.database, run.runId)).toMatchObject({
    status: 'completed',
    error_message: null,
  });
});
