import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { faultFleet, answerNight, firstNight, thirdNight } from '../support/fault-fleet.ts';
import { startFaultHarness, stagingLeft } from '../support/fault-harness.ts';
import { startWorkerHere } from '../support/fault-worker.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';
import { holdRows } from '../support/hold-point.ts';
import { tableOf } from '../support/sync-harness.ts';

const fleet = await startFaultHarness();
const VEHICLES = firstNight.FMS_VEHICLES_CSV_URL;
const only = { tables: ['vehicles'] };

afterEach(() => answerNight(fleet.server, '', firstNight));

describe('a cancelled run', () => {
  test('ends its row as cancelled and drops its staging while it stages', async () => {
    fleet.stall('FMS_VEHICLES_CSV_URL', VEHICLES, 100);
    const run = await fleet.start(only);
    await fleet.staged(run.runId, 'vehicles', 5);
    await run.handle.cancel();
    const result = await run.ended();
    expect(result).toMatchObject({ status: 'cancelled', error_message: 'The run was cancelled.' });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'failed', inserted: 0 });
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
    expect(await stagingLeft(fleet)).toEqual([]);
    expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 0 }]);
  });

  test('ends its row as cancelled while a source is down and is tried again', async () => {
    const path = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
    fleet.server.answer(path, (_request, response) => void response.writeHead(503).end());
    const before = fleet.server.requests.get(path) ?? 0;
    const run = await fleet.start(only);
    while ((fleet.server.requests.get(path) ?? 0) === before) await sleep(20);
    await run.handle.cancel();
    expect(await run.ended()).toMatchObject({ status: 'cancelled' });
    expect(await stagingLeft(fleet)).toEqual([]);
  });

  test('ends its row only once the merge under way has ended, so that the row tells the truth', async () => {
    const hold = await holdRows(
      fleet.target.databaseUrl,
      'AFTER INSERT ON fleet.vehicles',
      `NEW.vin = 'VIN0700'`,
    );
    const run = await fleet.start(only);
    await hold.reached();
    await run.handle.cancel();
    await sleep(4_000);
    expect(await fleet.rows(`SELECT status FROM sync_runs WHERE run_id = '${run.runId}'`)).toEqual([
      { status: 'running' },
    ]);
    await hold.release();
    const result = await run.ended();
    expect(result).toMatchObject({ status: 'cancelled' });
    expect(tableOf(result, 'vehicles')).toMatchObject({ inserted: 1500 });
    expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 1500 }]);
    expect(await stagingLeft(fleet)).toEqual([]);
    await fleet.rows('DROP TRIGGER wait_for_test ON fleet.vehicles');
  });

  test('is followed by a run that loads everything', async () => {
    answerNight(fleet.server, '', thirdNight);
    const result = await (await fleet.start()).ended();
    expect(result).toMatchObject({ status: 'completed', success_count: 5 });
  });
});

test('a run past its deadline ends its row as failed, drops its staging and completes its workflow', async () => {
  const taskQueue = 'short';
  const short = { ...faultFleet, runTimeoutMs: 4_000 };
  const worker = await startWorkerHere({ ...fleet.target, taskQueue }, [short]);
  fleet.stall('FMS_VEHICLES_CSV_URL', VEHICLES, 100);
  const run = await fleet.start({}, taskQueue);
  const result = await run.ended();
  expect(result.status).toBe('failed');
  expect(result.error_message).toMatch(/stopped at its deadline/);
  expect(result.duration_seconds).toBeGreaterThan(3);
  expect(tableOf(result, 'vehicles').status).toBe('failed');
  expect(tableOf(result, 'approved_makes').status).toBe('completed');
  expect((await run.handle.describe()).status.name).toBe('COMPLETED');
  expect(await stagingLeft(fleet)).toEqual([]);
  await worker.stop();
});
