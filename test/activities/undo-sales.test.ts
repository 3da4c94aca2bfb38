import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { previewUndo, takeBack } from '../../src/db/undo.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { tablesOf } from '../../src/syncs/live-table-of.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { csvFile, sale } from '../support/fake-sales.ts';
import { startSalesHarness, YESTERDAY } from '../support/sales-harness.ts';

const { api, load, importFile, rows, database } = await startSalesHarness();
const ofSales = tablesOf([sales]);
async function undo(of: RunId) {
  const runId = randomUUID() as RunId;
  await database.pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status)
     VALUES ($1, 'undo', 'sales', 'test', 'manual', now(), 'completed')`,
    [runId],
  );
  return takeBack(database, { runId, of, by: 'test' }, ofSales);
}
const stored = () =>
  rows(`SELECT to_jsonb(s) AS row, false AS archived FROM sales s
        UNION ALL SELECT to_jsonb(a), true FROM sales_archive a ORDER BY 1`);

test('sales that a day gained go and those that it lost come back', async () => {
  api.sales = [sale(YESTERDAY, 1), sale(YESTERDAY, 2), sale(YESTERDAY, 2), ...many(3, 20)];
  await load();
  const before = await stored();
  api.sales = [sale(YESTERDAY, 1), sale(YESTERDAY, 2), ...many(3, 21)];
  const second = await load();
  expect(second.tables).toMatchObject([{ inserted: 1, archived: 1 }]);
  expect(await undo(second.run_id)).toEqual({ outcome: 'undone', rows: 2 });
  expect(await stored()).toEqual(before);
});

test('a sale that another source shows too stays, and is listed', async () => {
  await rows('TRUNCATE sales.sales, sales.sales_archive');
  api.sales = [sale(YESTERDAY, 1), sale(YESTERDAY, 2)];
  const first = await load();
  await importFile('sales', csvFile(sale(YESTERDAY, 2)));
  const preview = await previewUndo(database, first.run_id, ofSales);
  expect(preview).toMatchObject({
    refusal: expect.stringContaining('1 row '),
    conflicts: [{ table: 'sales', reason: 'another source has shown it too' }],
  });
});

function many(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, index) => sale(YESTERDAY, from + index));
}
