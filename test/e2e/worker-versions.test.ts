import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { addClient } from '../../src/db/clients.ts';
import { clientWorkflowId } from '../../src/domain/clients.ts';
import { holdId, type RunId } from '../../src/domain/ids.ts';
import { syncs } from '../../src/syncs/index.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { decideRun } from '../../src/temporal/runs.ts';
import { makeCurrent } from '../../src/temporal/versions.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { answerNight, faultFleet, firstNight, fleetVariables } from '../support/fault-fleet.ts';
import { type RunningWorker, startWorkerHere, type WorkerTarget } from '../support/fault-worker.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import { waitUntil } from '../support/wait-until.ts';

const [database, { address, namespace, client }, server] = await Promise.all([
  createTestDatabase(),
  createTestNamespace(),
  startCsvServer(),
]);
const folder = await mkdtemp(join(tmpdir(), 'durasync-versions-'));
const workers: RunningWorker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await rm(folder, { recursive: true });
});
const target: WorkerTarget = {
  address,
  namespace,
  taskQueue: 'durasync',
  databaseUrl: database.databaseUrl,
  env: fleetVariables(server, ''),
  bundles: SHARED_BUILDS,
};
const definitions = [faultFleet, ...syncs.filter(({ name }) => name === 'commerce')];

async function startVersion(version: WorkerTarget['version']): Promise<RunningWorker> {
  const worker = await startWorkerHere({ ...target, version }, definitions);
  if (version) await makeCurrent(client, version.buildId);
  return worker;
}

/** Workflow code that breaks every run the present code has begun: it waits before it plans. */
async function incompatibleBundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    workflowInterceptorModules: [fileURLToPath(new URL('../support/waiting-workflows.ts', import.meta.url))],
    logger: new DefaultLogger('ERROR'),
  });
  const path = join(folder, 'next.js');
  await writeFile(path, code);
  return path;
}

async function startRun(tables?: readonly string[]): Promise<{ runId: RunId; handle: WorkflowHandle }> {
  const handle = await client.workflow.start('runSync', {
    taskQueue: 'durasync',
    workflowId: `test/${randomUUID()}`,
    args: [{ sync: 'fleet', tables }],
  });
  return { runId: handle.firstExecutionRunId as RunId, handle };
}

interface Steps {
  /** The builds that worked on it, in their order; null for a worker without a version. */
  readonly builds: readonly (string | null)[];
  /** Before its first step. */
  readonly waited: boolean;
}

async function stepsOf(handle: WorkflowHandle): Promise<Steps> {
  const { events } = await handle.fetchHistory();
  const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
    completed ? [completed.deploymentVersion?.buildId ?? null] : [],
  );
  const first = events?.find(
    ({ timerStartedEventAttributes: timer, activityTaskScheduledEventAttributes: step }) => timer ?? step,
  );
  const waited = Boolean(first?.timerStartedEventAttributes);
  return { builds: builds.filter((build, index) => build !== builds[index - 1]), waited };
}

const inFlight = stalledAnswer(firstNight.FMS_VEHICLES_CSV_URL, 100);
const entity = client.workflow.getHandle(clientWorkflowId('acme'));
let begun: Awaited<ReturnType<typeof startRun>>;
let held: Awaited<ReturnType<typeof startRun>>;

beforeAll(async () => {
  answerNight(server, '', firstNight);
  await addClient(database.db, 'acme', 'Acme');
  const unversioned = await startVersion(undefined);
  await (await startRun()).handle.result();
  await clientWorkflows(client).start(['acme']);
  await waitUntil('the entity is under way', async () => (await stepsOf(entity)).builds.length > 0);
  await unversioned.stop();

  workers.push(await startVersion({ buildId: 'previous' }));
  server.answer(FLEET_PATHS.FMS_PARTNERS_CSV_URL, '');
  held = await startRun(['media_partners']);
  await held.handle.result();
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, inFlight.answer);
  begun = await startRun(['vehicles']);
  await waitUntil('a run is in the middle of its export', async () => {
    const { rowCount } = await database.pool.query(
      `SELECT 1 FROM durasync.staging_progress WHERE run_id = $1 AND page >= 3`,
      [begun.runId],
    );
    return rowCount === 1;
  });
  workers.push(await startVersion({ buildId: 'next', bundlePath: await incompatibleBundle() }));
}, 180_000);

test('a new run begins on the new version, and does what only the new version does', async () => {
  server.answer(FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL, firstNight.FMS_APPROVED_MAKES_CSV_URL);
  const { handle } = await startRun(['approved_makes']);
  await handle.result();
  expect(await stepsOf(handle)).toEqual({ builds: ['next'], waited: true });
});

test('a run that the previous version began ends there, although the new code could not go on with it', async () => {
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(1500));
  inFlight.release();
  expect(await begun.handle.result()).toMatchObject({ status: 'completed' });
  expect(await stepsOf(begun.handle)).toEqual({ builds: ['previous'], waited: false });
});

test('a client that was there before versions were goes on, and moves to each new version', async () => {
  await entity.signal('reload');
  await waitUntil('the entity has moved', async () => (await stepsOf(entity)).builds.at(-1) === 'next');
  expect((await stepsOf(entity)).builds[0]).toBeNull();
  expect(await clientWorkflows(client).status('acme')).toMatchObject({ clientId: 'acme' });
});

test('a hold that waits since the previous version is carried out by the new one', async () => {
  await decideRun(client, held.runId, { decision: 'reject', by: 'alice' });
  const hold = client.workflow.getHandle(holdId(held.runId));
  expect(await hold.result()).toMatchObject({ status: 'rejected' });
  expect((await stepsOf(hold)).builds).toEqual(['previous', 'next']);
});
