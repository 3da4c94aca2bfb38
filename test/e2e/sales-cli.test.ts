import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { backfillRunId } from '../../src/domain/backfills.ts';
import { addDays } from '../../src/domain/days.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { durasync, type Finished } from '../support/durasync.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { csvFile, sale, SALES_KEY, startFakeSales } from '../support/fake-sales.ts';
import { startWorkerHere } from '../support/fault-worker.ts';

const [database, { address, namespace, client }, api] = await Promise.all([
  createTestDatabase(),
  createTestNamespace(),
  startFakeSales(),
]);
const folder = await mkdtemp(join(tmpdir(), 'durasync-sales-'));
const env = { SALES_API_URL: api.url, SALES_API_KEY: SALES_KEY };
const worker = await startWorkerHere(
  {
    address,
    namespace,
    taskQueue: 'durasync',
    databaseUrl: database.databaseUrl,
    env,
    bundles: SHARED_BUILDS,
  },
  [sales],
);
afterAll(async () => {
  await worker.stop();
  await rm(folder, { recursive: true });
});
const variables = {
  ...env,
  DURASYNC_HOME: join(folder, 'home'),
  DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  DATABASE_URL: database.databaseUrl,
  TEMPORAL_ADDRESS: address,
  TEMPORAL_NAMESPACE: namespace,
};
const cli = (...args: string[]): Promise<Finished> => durasync(args, variables);

const FROM = '2026-03-01';
const TO = '2026-03-07';
const BAD_DAY = '2026-03-03';
const DAYS = Array.from({ length: 6 }, (_, index) => addDays(FROM, index));

describe('backfill', { timeout: 120_000 }, () => {
  let finished: Finished;
  beforeAll(async () => {
    api.sales = DAYS.map((day) => sale(day, 1));
    api.answer = (request, response) => {
      const day = new URL(request.url ?? '/', api.url).searchParams.get('start_date');
      response.end(
        JSON.stringify(
          day === BAD_DAY ? { error: 'no such day' } : api.sales.filter(({ date }) => date === day),
        ),
      );
    };
    finished = await cli('backfill', 'sales', '--from', FROM, '--to', TO, '--concurrency', '2', '--json');
    api.answer = undefined;
  }, 120_000);

  test('loads every day but the one that fails, which it names; exit code 1', async () => {
    expect(finished.code).toBe(1);
    expect(JSON.parse(finished.stdout)).toMatchObject({
      state: 'completed',
      windows: 6,
      completed: 5,
      failed: 1,
      held: 0,
      rows: 5,
      problems: [
        { from: BAD_DAY, outcome: 'failed', message: expect.stringContaining('a JSON object with error') },
      ],
    });
    const { rows } = await database.pool.query('SELECT date FROM sales.sales ORDER BY date');
    expect(rows.map(({ date }) => date)).toEqual(DAYS.filter((day) => day !== BAD_DAY));
    const runs = await database.pool.query(`SELECT DISTINCT trigger FROM durasync.sync_runs`);
    expect(runs.rows).toEqual([{ trigger: 'backfill' }]);
    expect((await database.pool.query('SELECT FROM durasync.watermarks')).rowCount).toBe(0);
  });

  test('its runs have the lowest priority, and those of live ones are before them', async () => {
    const window = { from: FROM, to: addDays(FROM, 1) };
    const { events } = await client.workflow.getHandle(backfillRunId('sales', window)).fetchHistory();
    const [started] = events ?? [];
    expect(started?.workflowExecutionStartedEventAttributes?.priority?.priorityKey).toBe(5);
  });

  test('can be looked at afterwards, and its failed day is mended by running it again', async () => {
    const shown = await cli('backfill', 'show', 'sales');
    expect(shown.stdout).toMatch(/2026-03-01 to 2026-03-07: completed\n6 of 6 windows/);
    expect(shown.stdout).toMatch(/2026-03-03\s+failed/);
    expect(await cli('run', 'sales', '--from', BAD_DAY, '--to', addDays(BAD_DAY, 1))).toMatchObject({
      code: 0,
    });
    expect((await database.pool.query('SELECT FROM sales.sales')).rowCount).toBe(6);
    expect(await cli('backfill', 'pause', 'sales')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No backfill of sales is under way'),
    });
  });
});

test(
  'import sales takes the good rows and shows the bad ones; --strict refuses the file',
  { timeout: 60_000 },
  async () => {
    const path = join(folder, 'sales.csv');
    await writeFile(path, csvFile(sale('2026-04-01', 1), sale('2026-04-01', 2, { total_amount: 1 })));
    const strict = await cli('import', 'sales', path, '--strict');
    expect(strict).toMatchObject({ code: 2, stdout: expect.stringContaining('Nothing was loaded') });
    const done = await cli('import', 'sales', path, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({
      rows: 2,
      bad_rows: 1,
      errors: [
        { row: 3, reasons: [expect.stringContaining('total_amount: 1.00 is not quantity × unit_price')] },
      ],
      skipped: [],
      run: { status: 'completed', tables: [{ table: 'sales', inserted: 1, quarantined: 1 }] },
    });
  },
);
