import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../src/db/connect.ts';
import { listRuns, type RunSummary } from '../../src/db/run-list.ts';
import { findTemporalCli } from '../../src/temporal/install-cli.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { durasync, type Finished, type Variables } from '../support/durasync.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { enginesOf, startDurasync, type StartedDurasync } from '../support/started-durasync.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import { answerFleet } from '../support/sync-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_MS = 90_000;
const WAIT_MS = 60_000;
const READY = 'Ctrl-C stops everything';
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;

const folder = await mkdtemp(join(tmpdir(), 'durasync-cli-'));
const sources = await startCsvServer();
answerFleet(sources);
const urls = Object.entries(FLEET_PATHS).map(([name, path]) => [name, sources.url + path]);
const variables: Variables = {
  DURASYNC_HOME: join(folder, 'home'),
  ...Object.fromEntries(urls),
  USER: 'ada',
};

afterAll(() => rm(folder, { recursive: true, force: true }));

const command = (...args: string[]): Promise<Finished> => durasync(args, variables);

/** The one JSON document of a command that is to end with this code. */
async function json(code: number, ...args: string[]) {
  const done = await command(...args, '--json');
  expect({ code: done.code, stderr: done.code === code ? '' : done.stderr }).toEqual({ code, stderr: '' });
  return JSON.parse(done.stdout);
}

describe('what can be known before anything is started', () => {
  /** One sentence or a few on standard error, exit code 2, and nothing started. */
  async function expectRefused(args: string[], given: Variables, message: RegExp): Promise<void> {
    const home = join(folder, randomBytes(4).toString('hex'));
    const done = await durasync(args, { DURASYNC_HOME: home, ...given });
    expect(done).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(done.stderr).not.toMatch(/\n +at /);
    expect(enginesOf(home)).toEqual([]);
  }

  test(
    'a wrong value of a variable is refused with its name and the reason',
    async () => {
      await expectRefused(['up'], { DURASYNC_PORT: 'abc' }, /^DURASYNC_PORT is 'abc': it must be a port/);
      await expectRefused(
        ['up'],
        { SYNC_HOUR: '27' },
        /^SYNC_HOUR is '27': it must be a whole number from 0 to 23/,
      );
    },
    WAIT_MS,
  );

  test(
    'a home that is a file, a port that is taken and a sync that does not exist',
    async () => {
      const file = join(folder, 'file');
      await writeFile(file, '');
      await expectRefused(['up'], { DURASYNC_HOME: file }, /home .*file is not a folder.*DURASYNC_HOME/);
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as AddressInfo;
      const taken = { DURASYNC_PORT: String(port) };
      await expectRefused(
        ['up'],
        taken,
        new RegExp(`^Port ${port} for the HTTP API is taken.*DURASYNC_PORT`),
      );
      other.close();
      await expectRefused(['run', 'nothing'], {}, /^There is no sync 'nothing'\. Known: .*fleet/);
      await expectRefused(['runs'], {}, /^Nothing runs in .*npm start/);
    },
    WAIT_MS,
  );

  test('without python3 and with an empty cache it says how to get the Temporal CLI', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const name of ['setpriv', 'id', 'true', 'ps']) {
      const path = join('/usr/bin', name);
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        await symlink(path, join(bin, name));
    }
    const given = {
      PATH: bin,
      XDG_CACHE_HOME: join(folder, 'cache'),
      // So that no PostgreSQL is set up for nothing; the download that is tried last goes nowhere.
      DATABASE_URL: 'postgres://127.0.0.1:1/nothing',
      DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      HTTPS_PROXY: 'http://127.0.0.1:1',
    };
    const done = await durasync(['up'], { DURASYNC_HOME: join(folder, 'no-python'), ...given });
    expect(done.code).toBe(2);
    expect(done.stderr).toMatch(
      /python3 is not on PATH.*Install python3 with pip.*TEMPORAL_CLI_PATH.*TEMPORAL_ADDRESS/s,
    );
  }, 60_000);
});

test(
  'run --json without a server brings its own engines and prints one document',
  async () => {
    const result = await json(0, 'run', 'fleet');
    expect(result).toMatchObject({ sync: 'fleet', status: 'completed', total_rows_processed: 50 });
    expect(result.tables[0]).toMatchObject({ table: 'approved_makes', success: true, inserted: 10 });
    expect(enginesOf(String(variables['DURASYNC_HOME']))).toEqual([]);
    const alone = await command('run', 'fleet', '--no-wait');
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('npm start') });
  },
  START_MS,
);

describe('with everything up', () => {
  let up: StartedDurasync;
  let status: Record<'databaseUrl' | 'apiUrl' | 'temporalAddress' | 'temporalNamespace', string>;
  let database: DatabaseConnection;

  beforeAll(async () => {
    up = startDurasync(['up'], variables);
    await up.says(READY);
    status = await json(0, 'status');
    database = connectDatabase({ databaseUrl: status.databaseUrl, applicationName: 'durasync test' });
  }, START_MS);

  afterAll(async () => {
    await database.close();
    process.kill(up.pid, 'SIGINT');
    await up.exited;
  });

  /** Waits until a run of this workflow has completed, and gives its row. */
  async function completed(workflowId: RegExp, runId = /./): Promise<RunSummary> {
    let found: RunSummary | undefined;
    await waitUntil(`${workflowId} has completed`, async () => {
      const runs = await listRuns(database.db, { status: 'completed', limit: 100 });
      found = runs.find((run) => workflowId.test(run.workflow_id) && runId.test(run.run_id));
      return found !== undefined;
    });
    return found as RunSummary;
  }

  test('plan shows what a run would do and does nothing, and the run shows a table', async () => {
    expect(up.output(), 'real sources end demo mode').not.toMatch(/demo/);
    sources.answer(VEHICLES, vehicleFile(11));
    const plan = await json(0, 'plan', 'fleet', '--table', 'vehicles');
    expect(plan).toMatchObject({
      status: 'planned',
      tables: [{ table: 'vehicles', inserted: 1, unchanged: 10 }],
    });
    expect(plan.reviews[0].samples.inserted).toEqual([expect.objectContaining({ vin: 'VIN0011' })]);
    const run = await command('run', 'fleet', '--table', 'vehicles');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toMatch(
      /^table +status +rows +inserted +unchanged *\nvehicles +completed +11 +1 +10 *\n/,
    );
    expect(run.stdout).toMatch(/^[\x20-\x7e\n✔]*$/);
  });

  test(
    'a held run exits 3, and is rejected and approved by the first letters of its id',
    async () => {
      sources.answer(VEHICLES, '');
      const held = await json(3, 'run', 'fleet');
      expect(held).toMatchObject({ status: 'held', success_count: 4 });
      expect(held.error_message).toContain('the source shows 0 rows, but 11 are live');
      const rejected = await json(
        0,
        'runs',
        'reject',
        held.run_id.slice(0, 30),
        '--reason',
        'a broken export',
      );
      expect(rejected).toMatchObject({
        status: 'rejected',
        error_message: 'rejected by cli:ada: a broken export',
      });
      expect((await command('runs', 'approve', held.run_id)).code).toBe(2);
      const again = await command('run', 'fleet', '--table', 'vehicles');
      const runId = /npx durasync runs approve (\S+)/.exec(again.stdout)?.[1] ?? '';
      expect(again.code).toBe(3);
      const approved = await json(0, 'runs', 'approve', runId.slice(0, 30));
      expect(approved).toMatchObject({ status: 'completed', tables: [{ table: 'vehicles', archived: 11 }] });
      const { decisions } = await json(0, 'runs', 'show', runId);
      expect(decisions).toEqual([expect.objectContaining({ actor: 'cli:ada', action: 'approve' })]);
      sources.answer(VEHICLES, vehicleFile(10));
    },
    WAIT_MS,
  );

  test(
    'runs, backfill, tokens and ids that do not exist',
    async () => {
      const runs = await json(0, 'runs', '--sync', 'fleet', '--status', 'rejected');
      expect(runs).toEqual([
        expect.objectContaining({ kind: 'sync', status: 'rejected', triggered_by: 'cli:ada' }),
      ]);
      const backfill = await command('backfill', 'fleet', '--from', '2026-01-01', '--to', '2026-01-02');
      expect(backfill).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('its sources show only the present'),
      });
      const token = await json(0, 'token', 'create', '--role', 'viewer');
      expect(token).toEqual({
        token: expect.stringMatching(/^dsk_/),
        id: expect.stringMatching(/^tok_/),
        role: 'viewer',
      });
      const headers = { authorization: `Bearer ${token.token}` };
      expect((await fetch(`${status.apiUrl}/api/runs`, { headers })).status).toBe(200);
      const unknown = await command('runs', 'show', 'ffff');
      expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("no run 'ffff'") });
      const table = await command('run', 'fleet', '--table', 'nothing');
      expect(table).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^fleet has no table 'nothing'. Known: /),
      });
    },
    WAIT_MS,
  );

  test(
    'a schedule that a person paused stays paused when the schedules are applied',
    async () => {
      expect((await command('schedules', 'pause', 'fleet-nightly', '--reason', 'moving')).code).toBe(0);
      expect((await command('schedules', 'apply')).code).toBe(0);
      const { schedules } = await json(0, 'status');
      expect(schedules).toContainEqual(
        expect.objectContaining({ id: 'fleet-nightly', paused: true, note: 'Paused by cli:ada: moving' }),
      );
      const unknown = await command('schedules', 'pause', 'nothing');
      expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing') });
    },
    WAIT_MS,
  );

  test(
    'the plain Temporal CLI starts a run and triggers a schedule',
    async () => {
      const home = String(variables['DURASYNC_HOME']);
      const cli = await findTemporalCli({ env: process.env, homeDir: home, onProgress: console.error });
      const at = ['--address', status.temporalAddress, '--namespace', status.temporalNamespace];
      const temporal = (...args: string[]) => promisify(execFile)(cli, [...args, ...at]);
      const start = 'workflow start --task-queue durasync --type runSync --workflow-id by-hand --input';
      await temporal(...start.split(' '), '{"sync":"fleet","tables":["vehicles"]}');
      expect(await completed(/^by-hand$/)).toMatchObject({
        kind: 'sync',
        trigger: 'manual',
        total_tables: 1,
      });
      await temporal('schedule', 'trigger', '--schedule-id', 'fleet-nightly', '--overlap-policy', 'Skip');
      expect(await completed(/^scheduled\/fleet-nightly/)).toMatchObject({
        trigger: 'schedule',
        success_count: 5,
      });
    },
    WAIT_MS,
  );

  test(
    '--no-wait answers with ids at once',
    async () => {
      const started = await json(0, 'run', 'fleet', '--no-wait');
      expect(started).toEqual({ run_id: expect.stringMatching(/^[\w-]{36}$/), workflow_id: 'sync/fleet' });
      await completed(/^sync\/fleet$/, new RegExp(started.run_id));
    },
    WAIT_MS,
  );
});

test(
  'a command with engines of its own that is interrupted stops them',
  async () => {
    const { answer } = stalledAnswer(vehicleFile(10), 5);
    sources.answer(VEHICLES, answer);
    const asked = sources.requests.get(VEHICLES) ?? 0;
    const run = startDurasync(['plan', 'fleet', '--table', 'vehicles'], variables);
    await waitUntil('it reads the source', () => (sources.requests.get(VEHICLES) ?? 0) > asked, WAIT_MS);
    process.kill(run.pid, 'SIGINT');
    process.kill(run.pid, 'SIGINT');
    expect(await run.exited).toBe(1);
    expect(run.output()).toMatch(/worker is ready\nstopping; a run that is under way goes on/);
    expect(run.output()).not.toMatch(/\n +at /);
    expect(enginesOf(String(variables['DURASYNC_HOME']))).toEqual([]);
  },
  START_MS,
);
