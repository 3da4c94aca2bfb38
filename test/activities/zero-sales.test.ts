import { beforeEach, expect, test } from 'vitest';
import { addDays } from '../../src/domain/days.ts';
import { csvFile, sale } from '../support/fake-sales.ts';
import { startSalesHarness, YESTERDAY } from '../support/sales-harness.ts';

const { api, env, load, importFile, rows, database } = await startSalesHarness();

const WEEKDAYS_BEFORE = [7, 14, 21, 28].map((days) => addDays(YESTERDAY, -days));
const notifications = () => rows(`SELECT event, kind, title FROM durasync.notifications ORDER BY id`);
const NOTICE = `sales: no sale on ${YESTERDAY}. Ask the source whether that is right, then run the days again.`;

beforeEach(async () => {
  api.sales = [];
  delete env['SALES_EXPECT_DAILY'];
  await database.pool
    .query(`TRUNCATE sales.sales, durasync.sync_runs, durasync.table_state, durasync.day_state,
    durasync.open_causes, durasync.notifications CASCADE`);
});

test('a day without sales is reported in its run, and people hear of it once; and once when it has some', async () => {
  expect((await load()).notices).toEqual([NOTICE]);
  expect((await load()).notices).toEqual([NOTICE]);
  const raised = { event: 'raised', kind: 'zero_sales', title: `sales: no sale on ${YESTERDAY}` };
  expect(await notifications()).toEqual([raised]);
  await importFile('sales', csvFile(sale(YESTERDAY, 1)));
  expect(await notifications()).toEqual([
    raised,
    { event: 'resolved', kind: 'zero_sales', title: 'sales: every day has sales again' },
  ]);
});

test('another day is told too', async () => {
  await load();
  await load({ from: '2026-11-20', to: '2026-11-21' });
  expect((await notifications()).map(({ event }) => event)).toEqual(['raised', 'changed']);
});

test('a day that is not over is not missed, nor one that a backfill reads', async () => {
  api.sales = [sale(YESTERDAY, 1)];
  expect((await load({ from: YESTERDAY, to: '2026-11-29' })).notices).toEqual([]);
  const backfilled = await load({ from: '2026-11-01', to: '2026-11-02', trigger: 'backfill' });
  expect(backfilled.notices).toHaveLength(1);
  expect(await notifications()).toEqual([]);
});

test('where not every day is expected, one is whose four same weekdays before had sales', async () => {
  env['SALES_EXPECT_DAILY'] = 'false';
  await importFile('sales', csvFile(...WEEKDAYS_BEFORE.slice(1).map((day) => sale(day, 1))));
  expect((await load()).notices).toEqual([]);
  await importFile('sales', csvFile(sale(WEEKDAYS_BEFORE[0] ?? '', 1)));
  expect((await load()).notices).toEqual([NOTICE]);
});

test('a day that could not be read says nothing', async () => {
  api.answer = (_request, response) => response.writeHead(503).end();
  await expect(load()).rejects.toThrow(/503/);
  api.answer = undefined;
  expect(await notifications()).toEqual([]);
});
