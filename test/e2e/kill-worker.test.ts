import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { createTestDatabase, createTestNamespace, type TestDatabase } from '../support/engines.ts';
import {
  answerNight,
  firstNight,
  fleetVariables,
  geocoderAnswer,
  geocoderPath,
  secondNight,
  thirdNight,
} from '../support/fault-fleet.ts';
import {
  killHard,
  type RunningWorker,
  startWorkerHere,
  startWorkersInChild,
  type WorkerTarget,
} from '../support/fault-worker.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';
import { type HoldPoint, holdRows, holdState, holdTable } from '../support/hold-point.ts';
import { runOutcome } from '../support/run-outcome.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import { waitUntil } from '../support/wait-until.ts';

const original = await createTestDatabase();
const namespace = await createTestNamespace();
const server = await startCsvServer();

interface Scenario {
  readonly name: string;
  readonly database: TestDatabase;
  readonly target: WorkerTarget;
}

/** Each way to hold a run at one step; the worker is killed while it is held there. */
const steps: Readonly<Record<string, (scenario: Scenario) => Promise<HoldPoint>>> = {
  planning: ({ database }) => holdRows(database.databaseUrl, 'BEFORE INSERT ON durasync.sync_runs'),
  'staging, after some pages': holdStaging,
  reviewing: holdReview,
  'merging, with half of the rows written': ({ database }) =>
    holdRows(database.databaseUrl, 'AFTER INSERT ON fleet.vehicles', `NEW.vin = 'VIN1501'`),
  'between merge and archive': holdBetween,
  archiving: ({ database }) => holdRows(database.databaseUrl, 'AFTER INSERT ON fleet.vehicles_archive'),
  'geocoding, in the middle of the addresses': holdGeocoder,
  deriving: ({ database }) =>
    holdRows(database.databaseUrl, 'BEFORE UPDATE OF preferred_day_of_week ON fleet.media_partners'),
  'closing a table': ({ database }) =>
    holdRows(database.databaseUrl, 'BEFORE UPDATE OF completed_at ON durasync.sync_run_tables'),
  finishing: ({ database }) =>
    holdRows(database.databaseUrl, 'BEFORE UPDATE OF completed_at ON durasync.sync_runs'),
};
const ANSWERS_BEFORE_KILL = 5;

async function holdStaging({ name, database }: Scenario): Promise<HoldPoint> {
  const { answer, release } = stalledAnswer(thirdNight.FMS_VEHICLES_CSV_URL, 100);
  server.answer(folderOf(name) + FLEET_PATHS.FMS_VEHICLES_CSV_URL, answer);
  const reached = () =>
    waitUntil('some pages are staged', async () => {
      const { rowCount } = await database.pool.query(
        `SELECT 1 FROM durasync.staging_progress WHERE table_name = 'vehicles' AND page >= 5`,
      );
      return rowCount === 1;
    });
  return { reached, release: async () => release() };
}

async function holdReview({ name, database }: Scenario): Promise<HoldPoint> {
  const { answer, release } = stalledAnswer(thirdNight.FMS_PARTNERS_CSV_URL, 1);
  server.answer(folderOf(name) + FLEET_PATHS.FMS_PARTNERS_CSV_URL, answer);
  let hold: HoldPoint | undefined;
  return {
    reached: async () => {
      await waitUntil('partners are being staged', async () => {
        const { rowCount } = await database.pool.query(
          `SELECT 1 FROM durasync.staging_progress WHERE table_name = 'media_partners'`,
        );
        return rowCount === 1;
      });
      hold = await holdTable(database.databaseUrl, 'fleet.media_partners');
      release();
      await hold.reached();
    },
    release: async () => hold?.release(),
  };
}

/** The merge is held first, so that the state can be asked for behind it and is had before the archive asks. */
async function holdBetween({ database }: Scenario): Promise<HoldPoint> {
  const { databaseUrl } = database;
  const merge = await holdRows(databaseUrl, 'AFTER INSERT ON fleet.vehicles', `NEW.vin = 'VIN1501'`);
  let state: HoldPoint | undefined;
  return {
    reached: async () => {
      await merge.reached();
      const queued = await holdState(databaseUrl, 'vehicles');
      state = queued;
      await waitUntil('the test waits for the merge', async () => {
        const { rowCount } = await database.pool.query(
          `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%durasync.table_state%FOR UPDATE%'
             AND datname = current_database()`,
        );
        return rowCount === 1;
      });
      await merge.release();
      await queued.next;
      await queued.reached();
    },
    release: async () => state?.release(),
  };
}

async function holdGeocoder({ name }: Scenario): Promise<HoldPoint> {
  const path = geocoderPath(folderOf(name));
  let asked = 0;
  let released = false;
  server.answer(path, (request, response) => {
    asked += 1;
    if (released || asked <= ANSWERS_BEFORE_KILL) response.end(geocoderAnswer(request.url ?? ''));
  });
  return {
    reached: () => waitUntil('more addresses are asked than answered', () => asked > ANSWERS_BEFORE_KILL + 1),
    release: async () => void (released = true),
  };
}

const folderOf = (name: string): string => `/${name.replaceAll(/\W+/g, '-')}`;

function targetOf(name: string, databaseUrl: string): WorkerTarget {
  return {
    address: namespace.address,
    namespace: namespace.namespace,
    taskQueue: folderOf(name).slice(1),
    databaseUrl,
    env: fleetVariables(server, folderOf(name)),
    bundles: SHARED_BUILDS,
  };
}

async function startNight(name: string, night: string): Promise<RunId> {
  const { firstExecutionRunId } = await namespace.client.workflow.start('runSync', {
    taskQueue: folderOf(name).slice(1),
    workflowId: `${night} ${name}`,
    args: [{ sync: 'fleet' }],
  });
  return firstExecutionRunId as RunId;
}

const ended = (name: string, night: string) =>
  namespace.client.workflow.getHandle(`${night} ${name}`).result();

const outcomes = new Map<string, Record<string, unknown>>();
let undisturbed: Record<string, unknown> = {};
let child: ChildProcess | undefined;
const workers: RunningWorker[] = [];

async function loadTwoNights(): Promise<void> {
  const name = 'original';
  const worker = await startWorkerHere(targetOf(name, original.databaseUrl));
  for (const [index, night] of [firstNight, secondNight].entries()) {
    answerNight(server, folderOf(name), night);
    await startNight(name, `${index + 1}`);
    await ended(name, `${index + 1}`);
  }
  await worker.stop();
}

async function prepare(name: string): Promise<Scenario> {
  const database = await createTestDatabase(original.databaseUrl);
  answerNight(server, folderOf(name), thirdNight);
  return { name, database, target: targetOf(name, database.databaseUrl) };
}

/** All scenarios side by side: one child process works on all of them when it is killed. */
beforeAll(async () => {
  await loadTwoNights();
  const calm = await prepare('undisturbed');
  workers.push(await startWorkerHere(calm.target));
  const calmRun = await startNight(calm.name, '3');
  await ended(calm.name, '3');
  undisturbed = await runOutcome(calm.database.pool, calmRun);

  const scenarios: (Scenario & { hold: HoldPoint })[] = [];
  for (const [name, arm] of Object.entries(steps)) {
    const scenario = await prepare(name);
    scenarios.push({ ...scenario, hold: await arm(scenario) });
  }
  child = await startWorkersInChild(scenarios.map(({ target }) => target));
  const runs = await Promise.all(scenarios.map(({ name }) => startNight(name, '3')));
  await Promise.all(scenarios.map(({ hold }) => hold.reached()));
  await killHard(child);
  await Promise.all(scenarios.map(({ hold }) => hold.release()));
  workers.push(...(await Promise.all(scenarios.map(({ target }) => startWorkerHere(target)))));
  await Promise.all(scenarios.map(({ name }) => ended(name, '3')));
  for (const [index, { name, database }] of scenarios.entries()) {
    outcomes.set(name, await runOutcome(database.pool, runs[index] as RunId));
  }
}, 180_000);

afterAll(async () => {
  if (child) await killHard(child);
  await Promise.all(workers.map((worker) => worker.stop()));
});

test('the undisturbed night inserts, updates, archives, restores and quarantines, and leaves no staging', () => {
  expect(undisturbed).toMatchObject({ run: [{ status: 'completed', ended: true }], staging: [] });
  expect(undisturbed['tables']).toContainEqual(
    expect.objectContaining({
      table_name: 'vehicles',
      inserted: 1,
      updated: 1,
      restored: 1,
      archived: 1,
      quarantined: 1,
    }),
  );
});

test.each(Object.keys(steps))(
  'a worker killed while %s costs nothing: the next one ends the run the same',
  (name) => {
    expect(outcomes.get(name)).toEqual(undisturbed);
  },
);

test('answers that the killed worker had are not asked for again', () => {
  const path = geocoderPath(folderOf('geocoding, in the middle of the addresses'));
  const asked = server.requests.get(path) ?? 0;
  expect(asked).toBeLessThanOrEqual(2 * 12 - ANSWERS_BEFORE_KILL);
});
