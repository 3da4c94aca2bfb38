import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrateToLatest } from '../../src/db/migrate.ts';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import { TASK_QUEUE } from '../../src/domain/ids.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import type { PortWish } from '../../src/free-port.ts';
import { startWorkerProcess } from '../../src/installation/worker-process.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded-server.ts';
import { findTemporalCli } from '../../src/temporal/install-cli.ts';
import { startRun } from '../../src/temporal/runs.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { exportFile, TABLES } from './exports.ts';
import { type BenchProcess, startProgram } from './processes.ts';

export const BENCH_NAMESPACE = 'bench';
const NOOP_QUEUE = 'bench-noop';
const SECRET_KEYS = `k1:${randomBytes(32).toString('base64')}`;
/** Ours, and the one that plain SQL loads into. */
const DATABASES = ['ours', 'plain'] as const;
type BenchDatabase = (typeof DATABASES)[number];

/** Everything a benchmark needs, running: engines as in production, the source server, a worker that does nothing. */
export interface Bed {
  readonly folder: string;
  readonly sourceUrl: string;
  readonly client: Client;
  readonly temporalAddress: string;
  /** What the worker's secrets are sealed with. */
  readonly secretKeys: string;
  databaseUrl(name: BenchDatabase): string;
  /** Starts a worker with the fleet's settings and these; one at a time. */
  startWorker(settings?: Readonly<Record<string, string>>): Promise<Pick<BenchProcess, 'pid' | 'stop'>>;
  /** Lets the sources show the files of this folder from now on. */
  show(night: string): Promise<void>;
  /** Runs the fleet sync, or the one that is named, to its end, with all tables complete. */
  run(input?: Partial<RunSyncInput>): Promise<RunResult>;
  /** Runs the same workflow with activities that do nothing. */
  runNoop(): Promise<void>;
  /** Empties a database and brings it to rest, so that every repetition begins alike. */
  empty(name: BenchDatabase): Promise<void>;
  /** Writes what is pending to disk now instead of during the next measurement. */
  settle(): Promise<void>;
  log(message: string): void;
  /** Safe to repeat. */
  stop(): Promise<void>;
}

/** Starts everything in a temporary folder. `stop` ends it and removes the folder. */
export async function startBed(log: (message: string) => void): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), 'durasync-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll(stops.toReversed()));
  try {
    log(`Starting the engines in ${folder}`);
    const postgres = await startPostgres(folder);
    stops.push(postgres.stop);
    const temporal = await startTemporal(folder, log);
    stops.push(temporal.stop);
    const temporalTarget = { address: temporal.address, namespace: BENCH_NAMESPACE };
    const { client, close } = await connectTemporal(temporalTarget);
    // Last of all: a request that is tried again on a closed connection ends the process.
    stops.unshift(close);
    // Where the worker looks for it: `npm start` and the image make it beforehand too.
    const bundle = await ensureWorkflowBundle(SHARED_BUILDS);
    const source = await startProgram('source-server', [folder]);
    stops.push(source.stop);
    const noop = await startProgram('noop-worker', [temporal.address, BENCH_NAMESPACE, NOOP_QUEUE, bundle]);
    stops.push(noop.stop);
    return {
      folder,
      sourceUrl: source.firstLine,
      client,
      temporalAddress: temporal.address,
      secretKeys: SECRET_KEYS,
      databaseUrl: postgres.databaseUrl,
      startWorker: async (settings) => {
        const worker = await startWorker(folder, { postgres, temporal }, source.firstLine, settings);
        stops.push(worker.stop);
        return worker;
      },
      show: async (night) => {
        await rm(join(folder, 'current'), { force: true });
        await symlink(night, join(folder, 'current'));
      },
      run: (input) => runFleet(client, input),
      runNoop: async () => void (await runFleet(client, {}, NOOP_QUEUE)),
      empty: (name) => empty(postgres.databaseUrl(name)),
      settle: () => query(postgres.databaseUrl('postgres'), 'CHECKPOINT'),
      log,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopAll(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const each of stops) await each();
}

interface Engines {
  readonly postgres: EmbeddedPostgres;
  readonly temporal: EmbeddedTemporal;
}

const anyPort = (use: string): PortWish => ({
  use,
  preferred: 30_000 + (process.pid % 10_000),
  fixedBy: null,
});

async function startPostgres(folder: string): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres', 'data'),
    port: anyPort('PostgreSQL'),
    logFile: join(folder, 'postgres.log'),
  });
  for (const name of DATABASES) {
    await postgres.ensureDatabase(name);
    await migrateToLatest(postgres.databaseUrl(name));
  }
  return postgres;
}

async function startTemporal(folder: string, log: (message: string) => void): Promise<EmbeddedTemporal> {
  return startEmbeddedTemporal({
    cliPath: await findTemporalCli({ env: process.env, homeDir: folder, onProgress: log }),
    dataDir: join(folder, 'temporal'),
    state: 'kept',
    port: anyPort('Temporal'),
    uiPort: anyPort("Temporal's Web UI"),
    namespaces: [BENCH_NAMESPACE],
    logFile: join(folder, 'temporal.log'),
  });
}

/** The worker of a production deployment, `durasync worker`, as a process of its own. */
async function startWorker(
  folder: string,
  { postgres, temporal }: Engines,
  sourceUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Pick<BenchProcess, 'pid' | 'stop'>> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const urls = TABLES.map((table) => [
    table.definition.source.setting,
    sourceUrl + exportFile('/current', table),
  ]);
  const log = await open(join(folder, 'worker.log'), 'a');
  try {
    return await startWorkerProcess(
      {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NODE_OPTIONS: process.env['NODE_OPTIONS'],
        DURASYNC_HOME: home,
        DURASYNC_SECRET_KEYS: SECRET_KEYS,
        DATABASE_URL: postgres.databaseUrl('ours'),
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: BENCH_NAMESPACE,
        ...Object.fromEntries(urls),
        ...settings,
      },
      log.fd,
    );
  } finally {
    await log.close();
  }
}

async function runFleet(
  client: Client,
  input: Partial<RunSyncInput> = {},
  queue = TASK_QUEUE,
): Promise<RunResult> {
  const { runId, workflowId } = await startRun(client, { sync: 'fleet', ...input }, queue);
  const result = (await client.workflow.getHandle(workflowId, runId).result()) as RunResult;
  if (result.status !== 'completed') throw new Error(`A run ended as ${JSON.stringify(result)}`);
  return result;
}

async function empty(databaseUrl: string): Promise<void> {
  const live = TABLES.flatMap(({ name }) => [`fleet.${name}`, `fleet.${name}_archive`]);
  const own = ['sync_runs', 'table_state', 'staging_progress', 'watermarks', 'geocode_cache', 'row_changes'];
  const cars = ['cars.cars', 'cars.cars_archive', 'cars.cars_sync_log'];
  const sales = ['sales.sales', 'sales.sales_archive', 'durasync.day_state', 'durasync.uploads'];
  const tables = [...live, ...cars, ...sales, ...own.map((name) => `durasync.${name}`)];
  await query(databaseUrl, `TRUNCATE ${tables.join(', ')} CASCADE`);
  await query(databaseUrl, 'CHECKPOINT');
}

async function query(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
