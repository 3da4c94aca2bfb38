import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PortTakenError, type PortWish, withFreePort } from '../free-port.ts';
import { type EngineExit, type EngineProcess, startEngine, stopProcess } from '../home/engine-process.ts';
import { findProcesses } from '../home/processes.ts';
import { findPostgresBinaries, runPostgresAs } from './postgres-binaries.ts';
import { removeUnloggedLeftover } from './unlogged-leftover.ts';
import {
  EmbeddedPostgresError,
  explainLog,
  POSTGRES_MAJOR,
  POSTGRES_USER,
  preparePostgresData,
} from './postgres-data.ts';

export interface EmbeddedPostgresOptions {
  /** Made on the first start; its password and data folder's siblings are kept beside it. */
  readonly dataDir: string;
  readonly port: PortWish;
  readonly logFile: string;
  /** Settings of this start only, such as `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told in a sentence what takes time. */
  readonly log?: (message: string) => void;
}

export interface EmbeddedPostgres {
  readonly port: number;
  readonly pid: number;
  /** Holds the password. */
  databaseUrl(database: string): string;
  /** Makes a database unless it is there. Safe to repeat, also at the same time. */
  ensureDatabase(name: string): Promise<void>;
  /** A fast shutdown: open transactions are rolled back, everything committed is kept. Safe to repeat. */
  stop(): Promise<void>;
  /** Resolves when the server is gone, whoever stopped it. */
  readonly exited: Promise<EngineExit>;
}

const FAST_SHUTDOWN = [
  { signal: 'SIGINT', waitMs: 30_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;
const IMMEDIATE_SHUTDOWN = FAST_SHUTDOWN.slice(1);
const RECOVERY_MS = 600_000;
const LEFTOVERS_MS = 30_000;
const POLL_MS = 50;

/**
 * Starts PostgreSQL 18 on loopback, in a process group of its own. A server or its processes that a killed
 * owner left behind are stopped first. The caller must own the home that holds the data.
 *
 * @throws PortTakenError, PostgresUnavailableError, EmbeddedPostgresError: each says what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log = () => undefined } = options;
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 });
  await stopLeftovers(dataDir, log);
  const binaries = await findPostgresBinaries();
  const runAs = await runPostgresAs(dataDir);
  const password = await preparePostgresData({ dataDir, binaries, runAs, log });
  const [command = binaries.postgres, ...args] = [
    ...runAs.prefix,
    binaries.postgres,
    ...serverArguments(options),
  ];

  return withFreePort(options.port, async (port) => {
    const databaseUrl = (database: string): string =>
      `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const start = (): Promise<EngineProcess> =>
      startEngine({
        command,
        args: [...args, '-p', String(port)],
        cwd: dataDir,
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        logFile: options.logFile,
      });
    const engine = await startUntilReady({ start, url: databaseUrl('postgres'), port, options });
    let stopped: Promise<void> | undefined;
    return {
      port,
      pid: engine.pid,
      databaseUrl,
      ensureDatabase: (name) => ensureDatabase(databaseUrl('postgres'), name),
      stop: () => (stopped ??= engine.stop(FAST_SHUTDOWN)),
      exited: engine.exited,
    };
  });
}

function serverArguments({ dataDir, settings = {} }: EmbeddedPostgresOptions): string[] {
  const fixed = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
  return ['-D', dataDir, ...Object.entries(fixed).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Stops what still works on the data: first the server, then processes of a server that is gone. */
async function stopLeftovers(dataDir: string, log: (message: string) => void): Promise<void> {
  const leftovers = (): number[] => findProcesses({ folder: dataDir, command: /postgres/ });
  if (leftovers().length === 0) return;
  const pidFile = join(dataDir, 'postmaster.pid');
  const postmaster = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (leftovers().includes(postmaster)) {
    log(`Stopping the PostgreSQL that an earlier start left behind (pid ${postmaster})`);
    await stopProcess(postmaster, FAST_SHUTDOWN);
  }
  await Promise.all(leftovers().map((pid) => stopProcess(pid, IMMEDIATE_SHUTDOWN)));
}

interface StartAttempt {
  readonly start: () => Promise<EngineProcess>;
  readonly url: string;
  readonly port: number;
  readonly options: EmbeddedPostgresOptions;
}

async function startUntilReady({ start, url, port, options }: StartAttempt): Promise<EngineProcess> {
  const { dataDir } = options;
  for (const giveUpAt = Date.now() + LEFTOVERS_MS; ; await sleep(500)) {
    // The pid in it may by now belong to anybody, and PostgreSQL would take that for a running server.
    await rm(join(dataDir, 'postmaster.pid'), { force: true });
    const engine = await start();
    if (await isReady(engine, url)) return engine;
    const tail = await engine.logTail();
    const reason = explainLog(tail);
    if (reason === 'port-taken') throw new PortTakenError(options.port.use, port, null);
    if (reason === 'leftovers' && Date.now() < giveUpAt) continue;
    if (await removeUnloggedLeftover(dataDir, tail)) continue;
    throw new EmbeddedPostgresError(
      reason === 'disk-full'
        ? `PostgreSQL could not start because the disk that holds ${dataDir} is full. Free some space and start again.`
        : `PostgreSQL ${POSTGRES_MAJOR} could not start on ${dataDir}. Its last words, from ${options.logFile}:\n${tail}`,
    );
  }
}

/** Waits until the server answers, also through a long crash recovery; false when it gave up. */
async function isReady(engine: EngineProcess, url: string): Promise<boolean> {
  let gone = false;
  void engine.exited.then(() => (gone = true));
  for (const giveUpAt = Date.now() + RECOVERY_MS; !gone && Date.now() < giveUpAt; await sleep(POLL_MS)) {
    if (await answers(url)) return true;
  }
  if (!gone) await engine.stop(IMMEDIATE_SHUTDOWN);
  return false;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    // The password proves that this is our server and not another one on the same port.
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

const DUPLICATE_DATABASE = '42P04';
const UNIQUE_VIOLATION = '23505';

async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if (
      error instanceof pg.DatabaseError &&
      [DUPLICATE_DATABASE, UNIQUE_VIOLATION].includes(error.code ?? '')
    )
      return;
    throw error;
  } finally {
    await client.end();
  }
}
