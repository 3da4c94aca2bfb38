import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { connectDatabase, type DatabaseConnection } from '../../src/db/connect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrateToLatest } from '../../src/db/migrate.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { createTestNamespace } from '../support/engines.ts';
import {
  answerNight,
  firstNight,
  fleetVariables,
  type FleetSetting,
  secondNight,
  thirdNight,
} from '../support/fault-fleet.ts';
import { type RunningWorker, startWorkerHere, type WorkerTarget } from '../support/fault-worker.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';
import { type HoldPoint, holdRows, holdTable } from '../support/hold-point.ts';
import { runOutcome } from '../support/run-outcome.ts';
import { type StalledAnswer, stalledAnswer } from '../support/stalled-answer.ts';
import { waitUntil } from '../support/wait-until.ts';

// A PostgreSQL of this file alone: durable, as people run it.
const folder = await mkdtemp(join(tmpdir(), 'durasync-kill-postgres-'));
const namespace = await createTestNamespace();
const server = await startCsvServer();
let postgres: EmbeddedPostgres;
const workers: RunningWorker[] = [];
const connections: DatabaseConnection[] = [];

const startPostgres = (port?: number): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({
    dataDir: join(folder, 'data'),
    logFile: join(folder, 'postgres.log'),
    port: {
      use: 'PostgreSQL',
      preferred: 27_000,
      fixedBy: port === undefined ? null : { variable: 'DURASYNC_PG_PORT', port },
    },
  });

async function killAndRestartPostgres(): Promise<void> {
  const { port } = postgres;
  process.kill(postgres.pid, 'SIGKILL');
  await postgres.exited;
  postgres = await startPostgres(port);
}

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(connections.map((connection) => connection.close()));
  await postgres.stop();
  await rm(folder, { recursive: true });
});

interface Fleet {
  readonly name: string;
  readonly databaseUrl: string;
  readonly database: DatabaseConnection;
  startNight(night: string): Promise<RunId>;
  ended(night: string): Promise<unknown>;
}

/** A fleet of its own that has seen two nights and is about to see the third. */
async function startFleet(name: string): Promise<Fleet> {
  await postgres.ensureDatabase(name);
  const databaseUrl = postgres.databaseUrl(name);
  await migrateToLatest(databaseUrl);
  const target: WorkerTarget = {
    address: namespace.address,
    namespace: namespace.namespace,
    taskQueue: name,
    databaseUrl,
    env: fleetVariables(server, `/${name}`),
    bundles: SHARED_BUILDS,
  };
  workers.push(await startWorkerHere(target));
  const database = connectDatabase({
    databaseUrl,
    applicationName: 'durasync test',
    onIdleError: () => undefined,
  });
  connections.push(database);
  const workflowId = (night: string): string => `${night} ${name}`;
  const fleet: Fleet = {
    name,
    databaseUrl,
    database,
    startNight: async (night) => {
      const { firstExecutionRunId } = await namespace.client.workflow.start('runSync', {
        taskQueue: name,
        workflowId: workflowId(night),
        args: [{ sync: 'fleet' }],
      });
      return firstExecutionRunId as RunId;
    },
    ended: (night) => namespace.client.workflow.getHandle(workflowId(night)).result(),
  };
  for (const [night, files] of Object.entries({ first: firstNight, second: secondNight })) {
    answerNight(server, `/${name}`, files);
    await fleet.startNight(night);
    await fleet.ended(night);
  }
  answerNight(server, `/${name}`, thirdNight);
  return fleet;
}

let undisturbed: Promise<Record<string, unknown>> | undefined;
/** What the third night leaves behind when nothing goes wrong. */
const undisturbedNight = (): Promise<Record<string, unknown>> =>
  (undisturbed ??= startFleet('calm').then(async (calm) => {
    const runId = await calm.startNight('third');
    await calm.ended('third');
    return runOutcome(calm.database.pool, runId);
  }));

function stall({ name }: Fleet, setting: FleetSetting, linesHeldBack: number): StalledAnswer {
  const stalled = stalledAnswer(thirdNight[setting], linesHeldBack);
  server.answer(`/${name}${FLEET_PATHS[setting]}`, stalled.answer);
  return stalled;
}

const staged = ({ database }: Fleet, table: string, pages: number): Promise<void> =>
  waitUntil(`${pages} pages of ${table} are staged`, async () => {
    const { rowCount } = await database.pool.query(
      `SELECT 1 FROM durasync.staging_progress WHERE table_name = $1 AND page >= $2`,
      [table, pages],
    );
    return rowCount === 1;
  });

test('one kill while tables are staged, reviewed, merged and archived ends with the tables as without it', async () => {
  const fleet = await startFleet('everywhere');
  const holds: HoldPoint[] = [
    await holdRows(fleet.databaseUrl, 'AFTER INSERT ON fleet.loan_history', `NEW.activity_id = 'L16'`),
    await holdRows(fleet.databaseUrl, 'AFTER INSERT ON fleet.current_activity_archive'),
  ];
  const vehicles = stall(fleet, 'FMS_VEHICLES_CSV_URL', 100);
  const partners = stall(fleet, 'FMS_PARTNERS_CSV_URL', 1);
  const runId = await fleet.startNight('third');
  await staged(fleet, 'vehicles', 5);
  await staged(fleet, 'media_partners', 0);
  const review = await holdTable(fleet.databaseUrl, 'fleet.media_partners');
  partners.release();
  await Promise.all([...holds, review].map((hold) => hold.reached()));
  await killAndRestartPostgres();
  // Only now does the attempt that began before the kill get the rest of its file.
  vehicles.release();
  await Promise.all([...holds, review].map((hold) => hold.release()));
  await fleet.ended('third');
  expect(await runOutcome(fleet.database.pool, runId)).toEqual(await undisturbedNight());
}, 120_000);
