import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { startRun } from '../../src/temporal/runs.ts';
import { testEngine } from '../support/engines.ts';
import { answerNight, firstNight, type Night } from '../support/fault-fleet.ts';
import { startFaultHarness, stagingLeft } from '../support/fault-harness.ts';
import { killHard, startWorkerHere, startWorkersInChild } from '../support/fault-worker.ts';
import { vehicleFile, vehicleLine } from '../support/fleet-files.ts';
import { runResult, tableOf } from '../support/sync-harness.ts';
import { startUnsteadyNetwork } from '../support/unsteady-network.ts';
import { waitUntil } from '../support/wait-until.ts';

const fleet = await startFaultHarness();
const { client, database, server, target, rows } = fleet;

afterEach(() => answerNight(server, '', firstNight));

/** With the plain Temporal CLI, as anybody may, under an id of its own. Returns the run id. */
async function startWithCli(workflowId: string): Promise<RunId> {
  const { cliPath } = await testEngine('/temporal');
  const start = ['workflow', 'start', '--workflow-id', workflowId, '--output', 'json'];
  const where = ['--address', target.address, '--namespace', target.namespace];
  const what = ['--task-queue', 'durasync', '--type', 'runSync', '--input', '{"sync":"fleet"}'];
  const { stdout } = await promisify(execFile)(cliPath, [...start, ...where, ...what]);
  return (JSON.parse(stdout) as { runId: RunId }).runId;
}

/** With a Temporal Schedule that is triggered now. */
async function startWithSchedule(): Promise<RunId> {
  const schedule = await client.schedule.create({
    scheduleId: 'fleet-nightly',
    spec: {},
    action: {
      type: 'startWorkflow',
      workflowType: 'runSync',
      taskQueue: 'durasync',
      workflowId: 'scheduled/fleet-nightly',
      args: [{ sync: 'fleet' }],
    },
  });
  await schedule.trigger('ALLOW_ALL');
  const started = async () => (await schedule.describe()).info.recentActions[0]?.action;
  await waitUntil('the schedule has started a run', async () => (await started()) !== undefined);
  const action = await started();
  await schedule.delete();
  return action?.workflow.firstExecutionRunId as RunId;
}

async function ended(runId: RunId): Promise<void> {
  const [run] = await rows(`SELECT workflow_id FROM sync_runs WHERE run_id = '${runId}'`);
  await client.workflow.getHandle(String(run?.['workflow_id']), runId).result();
}

const isPlanned = (runId: RunId) =>
  waitUntil('the run is planned', async () => {
    return (await rows(`SELECT 1 FROM sync_runs WHERE run_id = '${runId}'`)).length === 1;
  });

const OLD_ROWS = 1500;
const old: Night = firstNight;
/** One vehicle is gone, one is new, one repainted. */
const newest: Night = {
  ...firstNight,
  FMS_VEHICLES_CSV_URL: firstNight.FMS_VEHICLES_CSV_URL.replace(/^1500,.*\n/m, '')
    .replace(/^2,.*\n/m, `${vehicleLine(2, 'Red')}\n`)
    .concat(`${vehicleLine(OLD_ROWS + 1)}\n`),
};

test('one sync started four ways at once ends with the newest snapshot; the older one is discarded', async () => {
  answerNight(server, '', old);
  await (await fleet.start()).ended();

  // One run loses its worker in the middle of staging the old snapshot.
  const dyingTarget = { ...target, taskQueue: 'dying' };
  const child = await startWorkersInChild([dyingTarget]);
  const stalled = fleet.stall('FMS_VEHICLES_CSV_URL', old.FMS_VEHICLES_CSV_URL, 100);
  const dead = await fleet.start({}, 'dying');
  await fleet.staged(dead.runId, 'vehicles', 5);
  await killHard(child);

  // One has begun to fetch the old snapshot and gets its end last of all.
  const late = await startWithCli('my-own-run');
  await isPlanned(late);
  await fleet.staged(late, 'vehicles', 5);

  answerNight(server, '', newest);
  const [retrying, scheduled, manual] = await Promise.all([
    startWorkerHere(dyingTarget),
    startWithSchedule(),
    startRun(client, { sync: 'fleet' }),
  ]);
  await Promise.all([isPlanned(scheduled), isPlanned(manual.runId)]);
  await Promise.all([ended(scheduled), ended(manual.runId), dead.ended()]);
  stalled.release();
  await ended(late);

  const discarded = await runResult(database, late);
  expect(tableOf(discarded, 'vehicles')).toMatchObject({ status: 'skipped', success: false, inserted: 0 });
  expect(tableOf(discarded, 'vehicles').error).toMatch(/^older than [0-9a-f-]{36}$/);
  const others = [scheduled, manual.runId, dead.runId];
  const results = await Promise.all(others.map((runId) => runResult(database, runId)));
  expect(results.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
  expect(others).toContain(tableOf(discarded, 'vehicles').error?.replace('older than ', ''));
  const counts = results.map((result) => tableOf(result, 'vehicles'));
  expect(counts.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(1);
  expect(counts.reduce((sum, { archived }) => sum + archived, 0)).toBe(1);
  expect(await rows(`SELECT trigger FROM sync_runs WHERE run_id = '${scheduled}'`)).toEqual([
    { trigger: 'schedule' },
  ]);

  expect(await rows('SELECT count(*) FROM vehicles')).toEqual([{ count: OLD_ROWS }]);
  expect(
    await rows(`SELECT vin, color FROM vehicles WHERE vin IN ('VIN0002', 'VIN1500', 'VIN1501') ORDER BY vin`),
  ).toEqual([
    { vin: 'VIN0002', color: 'Red' },
    { vin: 'VIN1501', color: 'Black' },
  ]);
  expect(await rows('SELECT vin FROM vehicles_archive')).toEqual([{ vin: 'VIN1500' }]);
  expect(await stagingLeft(fleet)).toEqual([]);
  await retrying.stop();
}, 120_000);

test('a worker that Temporal has lost sight of, but that still works, changes nothing any more', async () => {
  const network = await startUnsteadyNetwork(Number(target.address.split(':')[1]));
  onTestFinished(network.close);
  const seen = { ...target, taskQueue: 'cut off' };
  const child = await startWorkersInChild([{ ...seen, address: `127.0.0.1:${network.port}` }]);
  const stalled = fleet.stall('FMS_VEHICLES_CSV_URL', newest.FMS_VEHICLES_CSV_URL, 100);
  const run = await fleet.start({ tables: ['vehicles'] }, 'cut off');
  await fleet.staged(run.runId, 'vehicles', 5);
  const attempt = async () =>
    (await rows(`SELECT attempt FROM staging_progress WHERE run_id = '${run.runId}'`))[0]?.['attempt'];
  const first = await attempt();
  network.close();
  const next = await startWorkerHere(seen);
  await waitUntil('the next attempt has taken over', async () => (await attempt()) !== first);
  await fleet.staged(run.runId, 'vehicles', 5);
  // Both get the rest of their file now, and both try to commit it.
  stalled.release();
  const result = await run.ended();
  expect(result).toMatchObject({ status: 'completed', total_rows_processed: OLD_ROWS });
  expect(await rows(`SELECT fetched, staged FROM sync_run_tables WHERE run_id = '${run.runId}'`)).toEqual([
    { fetched: OLD_ROWS, staged: OLD_ROWS },
  ]);
  expect(await stagingLeft(fleet)).toEqual([]);
  await killHard(child);
  await next.stop();
}, 120_000);

test('two starts in the slot of manual runs are one run', async () => {
  const stalled = fleet.stall('FMS_VEHICLES_CSV_URL', vehicleFile(OLD_ROWS), 1);
  const first = await startRun(client, { sync: 'fleet', tables: ['vehicles'] });
  const second = await startRun(client, { sync: 'fleet', tables: ['vehicles'] });
  expect(second).toEqual({ ...first, started: false });
  stalled.release();
  await client.workflow.getHandle(first.workflowId, first.runId).result();
});
