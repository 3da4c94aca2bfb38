import { readFile, rm, mkdtemp, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { processIdentity } from '../../src/home/processes.ts';
import { durasync } from '../support/durasync.ts';
import { enginesOf, startDurasync, type StartedDurasync, workerOf } from '../support/started-durasync.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_MS = 90_000;
vi.setConfig({ testTimeout: START_MS });
const TABLES = [
  'vehicles',
  'media_partners',
  'loan_history',
  'current_activity',
  'approved_makes',
  'budgets',
];
const CTRL_C = '\u0003';

const home = await mkdtemp(join(tmpdir(), 'durasync-start-'));
const variables = { DURASYNC_HOME: home, GEOCODE_QPS: '1000' };
let up: StartedDurasync;

afterAll(() => rm(home, { recursive: true, force: true }));

const READY = 'Ctrl-C stops everything';

async function json(...command: string[]) {
  const { code, stdout, stderr } = await durasync([...command, '--json'], variables);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Nothing of the home runs any more, and nobody is told otherwise. */
async function expectNothingLeft(worker: number): Promise<void> {
  expect(enginesOf(home)).toEqual([]);
  expect(processIdentity(worker)).toBeNull();
  await expect(stat(join(home, 'runtime.json'))).rejects.toThrow('ENOENT');
}

test(
  'the first start runs the fleet demo, shows it, and says where everything is',
  async () => {
    up = startDurasync(['up'], variables, 'terminal');
    await up.says(READY, START_MS);
    const text = up.output();
    for (const table of TABLES) expect(text).toMatch(new RegExp(`${table} +completed +[\\d,]+`));
    expect(text).toMatch(/fleet completed: 1\d,\d{3} rows in [\d.]+ s/);
    expect(text, 'the live view').toMatch(/table +stage +rows/);
    expect(text).toMatch(/Temporal Web UI +http:\/\/127\.0\.0\.1:\d+\/namespaces\/demo\/workflows/);
    expect(text).toMatch(/Dashboard +http:\/\/127\.0\.0\.1:\d+\/login#code=[\w-]{43}/);
    expect(text).not.toContain('dsk_');
    expect(text).toMatch(/HTTP API +http:\/\/127\.0\.0\.1:\d+\/openapi\.json/);
    expect(text).toContain('This is demo data. How to go real: npx durasync demo');
    expect(text).toMatch(/^(kettle|market|trailhead)-demo +.* connected /m);
  },
  START_MS,
);

test('the other syncs of the demo run too', async () => {
  for (const sync of ['rentals', 'cars']) {
    await waitUntil(`${sync} has completed`, async () =>
      (await json('runs', '--sync', sync)).some(({ status }: { status: string }) => status === 'completed'),
    );
  }
});

test('status --json has every key and addresses that answer', async () => {
  const status = await json('status');
  expect(status).toMatchObject({ home, mode: 'demo', running: true, temporalNamespace: 'demo' });
  expect(Object.keys(status)).toEqual(
    expect.arrayContaining([
      'home',
      'databaseUrl',
      'temporalAddress',
      'temporalUiUrl',
      'apiUrl',
      'schedules',
      'lastRuns',
    ]),
  );
  expect(status.schedules.map(({ id }: { id: string }) => id)).toContain('fleet-nightly');
  expect(status.lastRuns).toContainEqual(
    expect.objectContaining({ sync: 'fleet', trigger: 'first_start', status: 'completed' }),
  );
  expect((await fetch(`${status.apiUrl}/readyz`)).status).toBe(200);
  expect(await (await fetch(status.apiUrl)).text()).toContain('<title>Durasync</title>');
  expect((await fetch(status.temporalUiUrl)).status).toBe(200);
});

test('a second start on the same home says who runs it, and changes nothing', async () => {
  const second = await durasync(['up'], variables);
  expect(second).toMatchObject({ code: 2, stdout: '' });
  expect(second.stderr).toMatch(
    /Another Durasync process \(pid \d+, since .*\) already runs the engines of .*kill \d+/,
  );
  expect(second.stderr.trim().split('\n')).toHaveLength(1);
  expect((await json('status')).running).toBe(true);
});

test('Ctrl-C in the terminal stops everything within seconds and leaves no process', async () => {
  const { pid } = JSON.parse(await readFile(join(home, 'runtime.json'), 'utf8'));
  const worker = workerOf(pid);
  const askedAt = Date.now();
  up.child.stdin?.write(CTRL_C);
  expect(await up.exited).toBe(0);
  expect(Date.now() - askedAt).toBeLessThan(15_000);
  expect(up.output()).toContain('everything is stopped; the data stays in the home');
  await expectNothingLeft(worker);
});

/** Takes a port unless somebody has it already. */
async function occupy(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

test(
  'the next start goes on with its data, and does not run the first sync again',
  async () => {
    // The usual ports are taken, so other ones are chosen, which a restart of an engine must keep.
    const others = await Promise.all([5433, 7233, 8233].map(occupy));
    up = startDurasync(['up'], variables);
    await up.says(READY, START_MS);
    for (const other of others) other.close();
    expect(up.output()).not.toContain('First run');
    const runs = await json('runs', '--sync', 'fleet');
    expect(runs).toEqual([expect.objectContaining({ trigger: 'first_start', status: 'completed' })]);
  },
  START_MS,
);

test(
  'a worker, a PostgreSQL and a Temporal that are killed come back, and a run after that completes',
  async () => {
    process.kill(workerOf(up.pid), 'SIGKILL');
    await up.says('The worker is back');
    const postmaster = (await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split(
      '\n',
    )[0];
    process.kill(Number(postmaster), 'SIGKILL');
    await up.says('PostgreSQL is back');
    const temporal = enginesOf(home).at(-1);
    if (temporal === undefined) throw new Error('no engine runs');
    process.kill(temporal, 'SIGKILL');
    await up.says('Temporal is back');
    const result = await json('run', 'fleet');
    expect(result).toMatchObject({ sync: 'fleet', status: 'completed', success_count: TABLES.length });
  },
  START_MS,
);

test(
  'after kill -9 of the whole group the next start clears up and has its data',
  async () => {
    const worker = workerOf(up.pid);
    process.kill(-up.pid, 'SIGKILL');
    await up.exited;
    await waitUntil('the worker has noticed', () => processIdentity(worker) === null);
    expect(enginesOf(home).length).toBeGreaterThan(1);
    expect((await json('status')).running).toBe(false);
    up = startDurasync(['up'], variables);
    await up.says(READY, START_MS);
    expect(up.output()).toMatch(/Stopping the PostgreSQL that an earlier start left behind/);
    expect(await json('runs', '--sync', 'fleet')).toHaveLength(2);
  },
  START_MS,
);

test(
  'SIGTERM stops it too, and so does one in the middle of a start',
  async () => {
    const worker = workerOf(up.pid);
    process.kill(up.pid, 'SIGTERM');
    expect(await up.exited).toBe(0);
    await expectNothingLeft(worker);
    up = startDurasync(['up'], variables);
    await waitUntil('its PostgreSQL is there', () => enginesOf(home).length > 0);
    await sleep(100);
    process.kill(up.pid, 'SIGINT');
    process.kill(up.pid, 'SIGINT');
    expect(await up.exited).toBe(1);
    expect(up.output()).toContain('Stopped before everything was up.');
    expect(() => workerOf(up.pid)).toThrow('has no worker');
    await expectNothingLeft(worker);
  },
  START_MS,
);
