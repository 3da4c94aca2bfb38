import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { runPostgresAs } from '../../src/db/postgres-binaries.ts';
import { explainLog } from '../../src/db/postgres-data.ts';
import { processIdentity } from '../../src/home/processes.ts';
import { startProgram } from '../support/start-program.ts';

// Named so that a later test run removes what a killed one leaves behind. Made with mode 700, so under root this also proves that PostgreSQL runs below a folder that only root may enter.
const folder = await mkdtemp(join(tmpdir(), `durasync-test-${process.pid}-`));
const dataDir = join(folder, 'postgres', 'data');
const logFile = join(folder, 'logs', 'postgres.log');
const port = { use: 'PostgreSQL', preferred: 25_000, fixedBy: null };
const running: EmbeddedPostgres[] = [];
const owners: ChildProcess[] = [];

afterEach(async () => {
  owners.splice(0).forEach((owner) => owner.kill('SIGKILL'));
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, logFile, port });
  running.push(server);
  return server;
}

async function startInOwnProcess(): Promise<{ owner: ChildProcess; pid: number; url: string }> {
  const owner = await startProgram('run-postgres', [dataDir, logFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  owners.push(owner);
  const [chunk] = await once(owner.stdout as Readable, 'data');
  return { owner, ...(JSON.parse(String(chunk)) as { pid: number; url: string }) };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A query that never looks whether its server still lives. */
async function startBusyQuery(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  client.query('SELECT count(*) FROM generate_series(1, 10000000000)').catch(() => undefined);
  return rows[0]?.pid ?? 0;
}

beforeAll(async () => {
  const server = await start();
  await query(server.databaseUrl('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
});

test('it listens on loopback only, keeps its password to this user, and is durable', async () => {
  const server = await start();
  const url = server.databaseUrl('postgres');
  const settings = await query(
    url,
    `SELECT current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS sockets,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
  );
  expect(settings).toEqual([{ address: '127.0.0.1', sockets: '', fsync: 'on', commit: 'on' }]);
  expect((await stat(join(dirname(dataDir), 'password'))).mode & 0o777).toBe(0o600);
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(
    'password authentication',
  );
});

test('the user it runs as finds programs that only their owner may run, in a folder that only its owner may enter', async () => {
  const program = join(folder, 'program');
  await writeFile(program, '', { mode: 0o700 });
  const { prefix } = await runPostgresAs(dataDir);
  const [command = '', ...args] = [...prefix, 'test', '-x', program];
  expect(spawnSync(command, args).status).toBe(0);
});

test('databases are made once, also when asked for at the same time', async () => {
  const server = await start();
  await Promise.all([1, 2, 3].map(() => server.ensureDatabase('Odd "name"')));
  await server.ensureDatabase('Odd "name"');
  const url = server.databaseUrl('Odd "name"');
  expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name: 'Odd "name"' }]);
});

test('stopping twice is harmless, and a second start finds the data', async () => {
  const server = await start();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(await server.exited).toEqual({ code: 0, signal: null });
  const again = await start();
  expect(await query(again.databaseUrl('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('Ctrl-C in the terminal of its owner does not reach it', async () => {
  const { owner, url } = await startInOwnProcess();
  process.kill(-(owner.pid ?? 0), 'SIGINT');
  await once(owner, 'exit');
  expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('a server that a killed owner left behind is stopped by the next start', async () => {
  const { owner, pid, url } = await startInOwnProcess();
  await query(url, 'CREATE TABLE before_kill AS SELECT 1 AS one');
  const backend = await startBusyQuery(url);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const server = await start();
  expect([processIdentity(pid), processIdentity(backend)]).toEqual([null, null]);
  expect(await query(server.databaseUrl('postgres'), 'SELECT one FROM before_kill')).toEqual([{ one: 1 }]);
});

test('after the server alone was killed, the next start waits for no orphan and keeps what was committed', async () => {
  const server = await start();
  await query(server.databaseUrl('postgres'), 'CREATE TABLE before_crash AS SELECT 1 AS one');
  const backend = await startBusyQuery(server.databaseUrl('postgres'));
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(processIdentity(backend)).not.toBeNull();
  const again = await start();
  expect(processIdentity(backend)).toBeNull();
  expect(await query(again.databaseUrl('postgres'), 'SELECT one FROM before_crash')).toEqual([{ one: 1 }]);
});

test('a pid file that names another process of that user does not keep it from starting', async () => {
  const other = spawn('sleep', ['60'], { uid: (await stat(dataDir)).uid });
  await once(other, 'spawn');
  await writeFile(join(dataDir, 'postmaster.pid'), `${other.pid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n1 1\n`);
  await expect(start()).resolves.toBeDefined();
  other.kill();
});

test('a fixed port that is taken is refused with the port and its variable', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(25_500, '127.0.0.1', resolve));
  const fixedBy = { variable: 'DURASYNC_PG_PORT', port: 25_500 };
  const starting = startEmbeddedPostgres({ dataDir, logFile, port: { ...port, fixedBy } });
  await expect(starting).rejects.toThrow(/Port 25500 for PostgreSQL is taken.*DURASYNC_PG_PORT/);
  blocker.close();
});

test('data of another major version is left alone and refused with a remedy', async () => {
  const old = join(folder, 'old', 'data');
  await mkdir(old, { recursive: true });
  await writeFile(join(old, 'PG_VERSION'), '16\n');
  const starting = startEmbeddedPostgres({ dataDir: old, logFile, port });
  await expect(starting).rejects.toThrow(/holds data of PostgreSQL 16.*DATABASE_URL/);
  expect(await readFile(join(old, 'PG_VERSION'), 'utf8')).toBe('16\n');
});

test('data whose password was lost is left alone and refused with a remedy', async () => {
  const passwordFile = join(dirname(dataDir), 'password');
  const password = await readFile(passwordFile, 'utf8');
  await rm(passwordFile);
  await expect(start()).rejects.toThrow(/is missing\. Put that file back/);
  await writeFile(passwordFile, password, { mode: 0o600 });
});

test('a set-up that was interrupted begins anew', async () => {
  const fresh = join(folder, 'fresh', 'data');
  await mkdir(join(folder, 'fresh', 'data.new'), { recursive: true });
  await writeFile(join(folder, 'fresh', 'data.new', 'PG_VERSION'), '18\n');
  const server = await startEmbeddedPostgres({ dataDir: fresh, logFile, port });
  running.push(server);
  expect(await query(server.databaseUrl('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a full disk is told apart from other last words', () => {
  const full = 'FATAL:  could not write lock file "postmaster.pid": No space left on device';
  expect([explainLog(full), explainLog('FATAL:  out of memory')]).toEqual(['disk-full', 'other']);
});

test('a crash just after an unlogged table was given up does not keep PostgreSQL from starting', async () => {
  const crashed = await start();
  const url = crashed.databaseUrl('postgres');
  await query(url, 'CREATE UNLOGGED TABLE given_up (id integer)');
  const [row] = await query(url, `SELECT pg_relation_filepath('given_up') AS path`);
  await query(url, 'CREATE TABLE survivor AS SELECT 1 AS id');
  process.kill(crashed.pid, 'SIGKILL');
  await crashed.exited;
  // As the files are when the creation was rolled back, but the log of that was not written any more.
  const path = join(dataDir, String(row?.['path']));
  await rm(`${path}_init`);
  await writeFile(path, '');
  const next = await start();
  expect(await query(next.databaseUrl('postgres'), 'SELECT id FROM survivor')).toEqual([{ id: 1 }]);
  await query(next.databaseUrl('postgres'), 'DROP TABLE survivor, given_up');
});
