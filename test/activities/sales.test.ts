import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { readingOf, tableOfRun } from '../support/activity-harness.ts';
import { CSV_HEADER, csvFile, sale, SALES_KEY } from '../support/fake-sales.ts';
import { NOW, startSalesHarness, YESTERDAY } from '../support/sales-harness.ts';
import { tableOf } from '../support/sync-harness.ts';

const { api, call, load, importFile, rows, database, env } = await startSalesHarness();

const D1 = '2026-11-20';
const D2 = '2026-11-21';
/** The window of both days. */
const BOTH = { from: D1, to: '2026-11-22' };

beforeEach(async () => {
  Object.assign(api, { sales: [], answer: undefined });
  api.asked.length = 0;
  delete env['SALES_EXPECT_DAILY'];
  await database.pool
    .query(`TRUNCATE sales.sales, sales.sales_archive, durasync.sync_runs, durasync.table_state,
    durasync.day_state, durasync.quarantined_rows CASCADE`);
});

const live = () => rows(`SELECT date, user_id, ordinal, sources FROM sales ORDER BY date, user_id, ordinal`);
/** Everything that tells whether a run has written a row. */
const stored = () => rows(`SELECT *, xmin::text FROM sales ORDER BY date, user_id, ordinal`);

describe('from the API', () => {
  test('a run asks for yesterday with the key, and fills every column', async () => {
    api.sales = [sale(YESTERDAY, 1), sale('2026-11-27', 2)];
    const result = await load();
    expect(api.asked).toEqual([{ from: YESTERDAY, to: YESTERDAY, key: `Bearer ${SALES_KEY}` }]);
    expect(result).toMatchObject({ status: 'completed', tables: [{ table: 'sales', inserted: 1 }] });
    expect(
      await rows(
        `SELECT date, user_id, product_name, quantity, unit_price, total_amount, region, ordinal, sources FROM sales`,
      ),
    ).toEqual([
      {
        date: YESTERDAY,
        user_id: 'u1',
        product_name: 'Thing 1',
        quantity: '2',
        unit_price: '2.50',
        total_amount: '5.00',
        region: 'North',
        ordinal: 1,
        sources: ['api'],
      },
    ]);
  });

  test('--days N ends with yesterday, and --from and --to name days of which the last is not read', async () => {
    await load({ days: 3 });
    await load(BOTH);
    expect(api.asked.map(({ from, to }) => [from, to])).toEqual([
      ['2026-11-24', YESTERDAY],
      [D1, D2],
    ]);
  });

  test('yesterday is that of SALES_TIMEZONE at the scheduled time, however late the run starts', async () => {
    env['SALES_TIMEZONE'] = 'America/Los_Angeles';
    await load({ logicalAt: NOW });
    delete env['SALES_TIMEZONE'];
    expect(api.asked[0]).toMatchObject({ from: '2026-11-25', to: '2026-11-25' });
  });

  test('rows of other days are ignored and counted', async () => {
    api.answer = (_request, response) =>
      response.end(JSON.stringify([sale(D1, 1), sale('2020-01-01', 2), sale('2026-11-27', 3)]));
    const result = await load({ from: D1, to: D2 });
    expect(tableOf(result, 'sales')).toMatchObject({ rows_processed: 1, inserted: 1, quarantined: 0 });
    expect(result.notices).toContain('sales: 2 rows of days outside 2026-11-20 to 2026-11-20 were ignored.');
  });

  test('the same window twice writes nothing', async () => {
    api.sales = [sale(D1, 1), sale(D1, 1), sale(D2, 2)];
    await load(BOTH);
    const before = await stored();
    const again = await load(BOTH);
    expect(tableOf(again, 'sales')).toMatchObject({ inserted: 0, updated: 0, unchanged: 3, archived: 0 });
    expect(await stored()).toEqual(before);
  });

  test('what a day no longer shows is archived, within its window alone, and comes back', async () => {
    api.sales = [sale(D1, 1), sale(D1, 2), sale(D1, 3), sale(D1, 4), sale(D1, 5), sale(D2, 6)];
    await load(BOTH);
    api.sales = api.sales.slice(1, 5);
    expect(tableOf(await load({ from: D1, to: D2 }), 'sales')).toMatchObject({ archived: 1 });
    expect((await live()).map(({ user_id: id }) => id)).toEqual(['u2', 'u3', 'u4', 'u5', 'u6']);
    expect(await rows(`SELECT user_id, archive_reason FROM sales_archive`)).toEqual([
      { user_id: 'u1', archive_reason: 'missing from the source' },
    ]);
    api.sales = [...api.sales, sale(D1, 1)];
    expect(tableOf(await load({ from: D1, to: D2 }), 'sales')).toMatchObject({ restored: 1, archived: 0 });
    expect(await rows('SELECT FROM sales_archive')).toEqual([]);
  });

  test.each([
    ['a day that is empty all at once', 0, /the source shows 0 rows, but 5 are live/],
    ['a day of which more than a fifth is gone', 3, /2 of 5 live rows \(40 %\) are missing/],
  ])('%s is held', async (_what, left, reason) => {
    api.sales = [1, 2, 3, 4, 5].map((number) => sale(D1, number));
    // Many other days don't make the share smaller.
    const others = Array.from({ length: 50 }, (_, number) => sale(D2, number));
    api.sales = [...api.sales, ...others];
    await load(BOTH);
    api.sales = [...api.sales.slice(0, left), ...others];
    const { review } = await load({ from: D1, to: D2 });
    expect(review).toMatchObject({ verdict: 'hold', reason: expect.stringMatching(reason) });
  });

  test('a hold of one day goes on waiting when another day is merged, and not when the same one is', async () => {
    const ofDay = (day: string): object[] => [1, 2, 3, 4, 5].map((number) => sale(day, number));
    const show = (shown: object[]) =>
      (api.answer = (_request, response) => void response.end(JSON.stringify(shown)));
    show(ofDay(D1));
    await load({ from: D1, to: D2 });
    show([]);
    const held = await load({ from: D1, to: D2 });
    expect(held.status).toBe('held');
    show(ofDay(D2));
    expect(await load({ from: D2, to: '2026-11-22' })).toMatchObject({ superseded: [] });
    show([...ofDay(D1), sale(D1, 6)]);
    expect(await load({ from: D1, to: D2 })).toMatchObject({ superseded: [held.run_id] });
  });

  test('a snapshot of other days never makes one older; one of the same day does', async () => {
    api.sales = [sale(D1, 1), sale(D2, 2)];
    await load({ from: D2, to: '2026-11-22' });
    const { rows: newer } = await database.pool.query(
      `UPDATE durasync.day_state SET source_fetched_at = now() + interval '1 hour' RETURNING merged_run_id AS id`,
    );
    expect(await load({ from: D1, to: D2 })).toMatchObject({
      status: 'completed',
      tables: [{ inserted: 1 }],
    });
    api.sales = [sale(D2, 2), sale(D2, 3)];
    const { review } = await load({ from: D2, to: '2026-11-22' });
    expect(review).toMatchObject({ verdict: 'older', reason: `older than ${newer[0]?.id}` });
  });

  test.each([
    [
      'an object',
      '{"error":"no such shop secret-4711","code":7}',
      'FileUnreadable',
      /a JSON object with error, code, not an array of sales/,
    ],
    ['a web page', '<!doctype html><title>Sign in</title>', 'FileUnreadable', /a web page/],
    ['nothing', '', 'FileUnreadable', /is empty/],
    ['text', 'sorry', 'FileUnreadable', /no JSON array/],
    [
      'an array that ends too early',
      '[{"date":"2026-11-20"},{"da',
      'SourceTruncated',
      /ends inside its array/,
    ],
    ['an array of something else', '[1,}', 'FileUnreadable', /not well-formed JSON/],
  ])('%s fails the table with a clear message', async (_what, body, type, message) => {
    api.answer = (_request, response) => response.end(body);
    const failure: unknown = await load(BOTH).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type, message: expect.stringMatching(message) });
    expect(String(failure)).not.toMatch(/4711|s3cret/);
  });
});

test('an attempt that dies in the middle of an answer leaves nothing behind: the next one has each sale once', async () => {
  const all = Array.from({ length: 3_000 }, (_, number) => sale(D1, number % 1_500));
  let asked = 0;
  api.answer = (_request, response) => {
    asked += 1;
    const text = JSON.stringify(all);
    if (asked > 1) return void response.end(text);
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  };
  const plan = await call('planRun', {
    sync: 'sales',
    tables: ['sales'],
    trigger: 'manual',
    from: D1,
    to: D2,
    runId: randomUUID() as RunId,
    workflowId: 'test',
    logicalAt: NOW,
  });
  const of = tableOfRun(plan, 'sales');
  await expect(call('stageTable', { ...of, ...readingOf(plan) })).rejects.toThrow(/SALES_API_URL/);
  const staged = await call('stageTable', { ...of, ...readingOf(plan) });
  expect(staged).toMatchObject({ staged: 3_000, duplicates: 0 });
  const review = await call('reviewTable', { ...of, staged, kind: 'sync' });
  const merging = { ...of, staged, review };
  const merged = await call('mergeStaged', merging);
  expect(await call('mergeStaged', merging)).toEqual(merged);
  expect(await rows('SELECT count(*), max(ordinal) FROM sales')).toEqual([{ count: 3_000, max: 2 }]);
});

describe('rows that are not valid', () => {
  test.each([
    ['a quantity of 0', { quantity: 0 }, /quantity: '0' is not a quantity above 0/],
    ['a negative quantity', { quantity: -2 }, /quantity: '-2' is not a quantity above 0/],
    ['a price of 0', { unit_price: '0.00', total_amount: 1 }, /unit_price: '0.00' is not a price above 0/],
    [
      'a total that is off by a cent',
      { total_amount: 5.01 },
      /total_amount: 5.01 is not quantity × unit_price, 2 × 2.50/,
    ],
    ['a day in the future', { date: '2026-11-28' }, /date: 2026-11-28 is in the future/],
    ['a day that does not exist', { date: '2026-02-30' }, /date: '2026-02-30' is not a date/],
    ['no region', { region: '' }, /region: is required and blank here/],
    ['no product', { product_name: 'N/A' }, /product_name: is required and blank here/],
  ])('%s goes to quarantine with its reason', async (_what, changes, reason) => {
    const result = await importFile('sales', csvFile(sale(D1, 9), sale(D1, 1, changes)));
    expect(tableOf(result, 'sales')).toMatchObject({ status: 'completed', inserted: 1, quarantined: 1 });
    const [bad] = await rows('SELECT position, reasons FROM durasync.quarantined_rows');
    expect(bad).toMatchObject({ position: 3, reasons: [expect.stringMatching(reason)] });
  });

  test('records of the API that are no objects, and amounts with the noise of binary numbers', async () => {
    const noisy = sale(D1, 1, { quantity: 3, unit_price: 1.1, total_amount: 3.3000000000000003 });
    const others = Array.from({ length: 30 }, (_, number) => sale(D1, 10 + number));
    api.answer = (_request, response) => response.end(JSON.stringify([noisy, null, [1], ...others]));
    const result = await load({ from: D1, to: D2 });
    expect(tableOf(result, 'sales')).toMatchObject({ inserted: 31, quarantined: 2 });
    expect(await rows(`SELECT unit_price, total_amount FROM sales WHERE user_id = 'u1'`)).toEqual([
      { unit_price: '1.10', total_amount: '3.30' },
    ]);
  });
});

describe('from files', () => {
  test('10,000 identical rows are 10,000 sales, and the same file again changes nothing', async () => {
    const file = csvFile(...Array.from({ length: 10_000 }, () => sale(D1, 1)), sale(D1, 2));
    expect(tableOf(await importFile('sales', file), 'sales')).toMatchObject({
      inserted: 10_001,
      duplicates: 0,
    });
    expect(await rows(`SELECT count(*), max(ordinal), min(ordinal) FROM sales WHERE user_id = 'u1'`)).toEqual(
      [{ count: 10_000, max: 10_000, min: 1 }],
    );
    const before = await rows(`SELECT sum(xmin::text::bigint)::text FROM sales`);
    const again = await importFile('sales', file);
    expect(tableOf(again, 'sales')).toMatchObject({ inserted: 0, updated: 0, unchanged: 10_001 });
    expect(await rows(`SELECT sum(xmin::text::bigint)::text FROM sales`)).toEqual(before);
  });

  test('identical sales split over two files count once, and the second import says so', async () => {
    await importFile('sales', csvFile(sale(D1, 1), sale(D1, 1), sale(D1, 2)));
    const second = await importFile('sales', csvFile(sale(D1, 1), sale(D1, 3)));
    expect(tableOf(second, 'sales')).toMatchObject({ inserted: 1, unchanged: 1 });
    expect(second.notices).toEqual([
      expect.stringContaining('1 of 2 rows equal ones that are there already, and count once'),
    ]);
  });

  test('a file and later the API are the same sales; the last source that withdraws one takes it away', async () => {
    const all = [1, 2, 3, 4, 5, 6].map((number) => sale(D1, number));
    await importFile('sales', csvFile(...all.slice(0, 5)));
    const before = await rows(`SELECT user_id, updated_at, last_run_id FROM sales ORDER BY 1`);
    api.sales = all.slice(1);
    expect(tableOf(await load({ from: D1, to: D2 }), 'sales')).toMatchObject({
      inserted: 1,
      updated: 0,
      unchanged: 4,
      archived: 0,
    });
    expect((await rows(`SELECT user_id, updated_at, last_run_id FROM sales ORDER BY 1`)).slice(0, 5)).toEqual(
      before,
    );
    expect(await rows(`SELECT user_id, sources FROM sales ORDER BY 1`)).toEqual([
      { user_id: 'u1', sources: ['csv'] },
      ...['u2', 'u3', 'u4', 'u5'].map((user_id) => ({ user_id, sources: ['csv', 'api'] })),
      { user_id: 'u6', sources: ['api'] },
    ]);
    // One of both sources, which the file keeps.
    api.sales = all.slice(2);
    expect(tableOf(await load({ from: D1, to: D2 }), 'sales')).toMatchObject({ archived: 0 });
    // The one that only the API has shown, one of five.
    const more = [7, 8].map((number) => sale(D1, number));
    api.sales = [...all.slice(2), ...more];
    await load({ from: D1, to: D2 });
    api.sales = [...all.slice(2, 5), ...more];
    expect(tableOf(await load({ from: D1, to: D2 }), 'sales')).toMatchObject({ archived: 1 });
    expect(await rows(`SELECT user_id, sources FROM sales WHERE user_id IN ('u1', 'u2', 'u6')`)).toEqual([
      { user_id: 'u1', sources: ['csv'] },
      { user_id: 'u2', sources: ['csv'] },
    ]);
    // What the file shows of an archived one is that one, and it is the file's alone.
    await importFile('sales', csvFile(sale(D1, 6)));
    expect(await rows(`SELECT sources FROM sales WHERE user_id = 'u6'`)).toEqual([{ sources: ['csv'] }]);
    expect(await rows('SELECT FROM sales_archive')).toEqual([]);
  });

  test('a file takes no sale away, whatever it lacks, and is never held', async () => {
    api.sales = [1, 2, 3].map((number) => sale(D1, number));
    await load({ from: D1, to: D2 });
    const bad = Array.from({ length: 20 }, () => sale(D1, 1, { quantity: -1 }));
    const result = await importFile('sales', csvFile(sale(D1, 4), ...bad));
    expect(result).toMatchObject({
      status: 'completed',
      tables: [{ inserted: 1, archived: 0, quarantined: 20 }],
    });
    expect(await live()).toHaveLength(4);
  });

  test('a file may lack its header, and have its columns in any order with one', async () => {
    await importFile('sales', '2026-11-20,u1,Thing,2,"$1,000.50",2001.00,North\n');
    await importFile(
      'sales',
      `${CSV_HEADER.split(',').toReversed().join(',')}\nNorth,2001,1000.5,2,Thing,u1,11/20/2026\n`,
    );
    expect(await rows('SELECT unit_price, total_amount FROM sales')).toEqual([
      { unit_price: '1000.50', total_amount: '2001.00' },
    ]);
  });
});
