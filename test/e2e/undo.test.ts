import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import { startRun } from '../../src/temporal/runs.ts';
import { applySchedules, listSchedules } from '../../src/temporal/schedules.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { durasync } from '../support/durasync.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { answerNight, firstNight, fleetVariables, thirdNight } from '../support/fault-fleet.ts';
import {
  killHard,
  startWorkerHere,
  startWorkersInChild,
  type WorkerTarget,
} from '../support/fault-worker.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { runResult } from '../support/sync-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const [database, { client, address, namespace }, server, home] = await Promise.all([
  createTestDatabase(),
  createTestNamespace(),
  startCsvServer(),
  mkdtemp(join(tmpdir(), 'durasync-undo-')),
]);
afterAll(() => rm(home, { recursive: true, force: true }));
const env = fleetVariables(server, '');
const target: WorkerTarget = {
  address,
  namespace,
  taskQueue: 'durasync',
  databaseUrl: database.databaseUrl,
  env,
  bundles: SHARED_BUILDS,
};
const { call, tokens } = await startHttpHarness({ database, client, env });
await applySchedules({ client, syncs: [fleet], env });
const rows = async (query: string): Promise<Record<string, unknown>[]> =>
  (await database.pool.query(query)).rows;
const run = async (): Promise<RunId> => {
  const { runId, workflowId } = await startRun(client, { sync: 'fleet' });
  await client.workflow.getHandle(workflowId, runId).result();
  return runId;
};

const LIVE = ['vehicles', 'media_partners', 'loan_history', 'current_activity', 'approved_makes'];
async function live(): Promise<unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of LIVE.flatMap((table) => [table, `${table}_archive`])) {
    kept[name] = await rows(`SELECT to_jsonb(t) AS row FROM fleet.${name} t ORDER BY 1`);
  }
  return kept;
}

const command = (...args: string[]) =>
  durasync(args, {
    DURASYNC_HOME: home,
    DATABASE_URL: database.databaseUrl,
    DURASYNC_SECRET_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    USER: 'ada',
    ...env,
  });

test('an undo whose worker is killed in the middle is carried out once, and derives again', async () => {
  answerNight(server, '', firstNight);
  let child = await startWorkersInChild([target]);
  await run();
  const before = await live();
  answerNight(server, '', thirdNight);
  const third = await run();
  expect(await live()).not.toEqual(before);

  const blocking = await database.pool.connect();
  await blocking.query(`BEGIN; SELECT FROM fleet.loan_history FOR UPDATE`);
  const started = await call(`POST /api/runs/${third}/undo`, { body: { reason: 'wrong export' } });
  expect(started).toMatchObject({ status: 202, body: { workflow_id: `undo/${third}`, started: true } });
  await waitUntil('the undo waits for a row', async () => {
    const waiting = await rows(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                                AND datname = current_database()`);
    return waiting.length > 0;
  });
  await killHard(child);
  await blocking.query('ROLLBACK');
  blocking.release();
  child = await startWorkersInChild([target]);
  const undoId = String(started.body['run_id']);
  await client.workflow.getHandle(`undo/${third}`, undoId).result();
  await killHard(child);

  expect(await live()).toEqual(before);
  const result = await runResult(database, undoId as RunId);
  expect(result).toMatchObject({
    status: 'completed',
    derive: [{ step: 'preferred days', success: true }],
  });
  expect(result.tables.map(({ table }) => table)).toEqual([...LIVE].sort());
  expect((await runResult(database, third)).status).toBe('undone');
  const { body } = await call(`GET /api/runs/${third}`);
  expect(body['decisions']).toEqual([
    expect.objectContaining({ actor: 'token:operator', action: 'start undo', reason: 'wrong export' }),
    expect.objectContaining({ actor: 'token:operator', action: 'undo', reason: 'wrong export' }),
  ]);
}, 120_000);

test('HTTP and CLI show what is in the way, undo, and pause the schedule', async () => {
  const worker = await startWorkerHere(target);
  try {
    answerNight(server, '', thirdNight);
    const second = await run();
    const person = `UPDATE media_partners SET preferred_day_source = 'manual', preferred_day_of_week = 'Friday'
                    WHERE first_run_id = '${second}'`;
    await rows(person);
    const shown = await call(`GET /api/runs/${second}/undo`, { token: tokens.viewer });
    expect(shown).toMatchObject({
      status: 200,
      body: { refusal: expect.stringContaining('12 rows'), conflict_count: 12, schedules: ['fleet-nightly'] },
    });
    const refused = await call(`POST /api/runs/${second}/undo`);
    expect(refused).toMatchObject({
      status: 409,
      body: { type: 'urn:durasync:problem:not-undoable', undo: { conflict_count: 12 } },
    });
    const asked = await command('runs', 'undo', second.slice(0, 30));
    expect(asked.code).toBe(1);
    expect(asked.stdout).toContain('a person changed preferred_day_of_week, preferred_day_source');
    expect(asked.stdout).toContain('person_id=');

    await rows(person.replace(`'manual'`, 'NULL').replace(`'Friday'`, 'NULL'));
    const dry = await command('runs', 'undo', second, '--dry-run');
    expect({ code: dry.code, stdout: dry.stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('The next run of fleet applies its source again.'),
    });
    const done = await command(
      'runs',
      'undo',
      second,
      '--reason',
      'wrong file',
      '--pause-schedule',
      '--json',
    );
    expect(done).toMatchObject({ code: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({
      status: 'completed',
      sync: 'fleet',
      undo: { run_id: second, refusal: null },
    });
    const schedules = await listSchedules(client);
    expect(schedules.find(({ id }) => id === 'fleet-nightly')).toMatchObject({
      paused: true,
      note: `Paused by cli:ada: undo of run ${second}`,
    });
    const again = await call(`POST /api/runs/${second}/undo`);
    expect(again.body['detail']).toContain('has been undone already');
  } finally {
    await worker.stop();
  }
}, 120_000);
