import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { LiveTable } from '../../src/db/live-table.ts';
import { moveWatermarks } from '../../src/db/watermarks.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { createTestDatabase } from '../support/engines.ts';
import { addRunRow } from '../support/run-row.ts';

const { db, pool } = await createTestDatabase();
const [january, february, march] = ['2026-01-01', '2026-02-01', '2026-03-01'].map(
  (day) => `${day}T00:00:00.000Z`,
) as [string, string, string];
let table: LiveTable;
beforeEach(() => {
  table = { sync: 'commerce', scope: randomUUID(), name: 'orders', incremental: 'whole' } as LiveTable;
});

async function readWatermark(): Promise<string | null> {
  const { rows } = await pool.query<{ value: string }>(
    'SELECT value FROM durasync.watermarks WHERE sync = $1 AND scope = $2 AND name = $3',
    [table.sync, table.scope, table.name],
  );
  return rows[0]?.value ?? null;
}

test('a watermark only moves forward', async () => {
  const run = await addRunRow(pool);
  expect(await readWatermark()).toBeNull();
  for (const value of [february, january]) {
    await moveWatermarks(db, run, table, { sourceFetchedAt: value });
    expect(await readWatermark()).toBe(february);
  }
});

test.each([
  ['a plan', { kind: 'plan' }],
  ['a replay', { kind: 'replay' }],
  ['an import', { kind: 'import' }],
  ['a backfill', { trigger: 'backfill' }],
])('%s neither makes nor moves a watermark', async (_what, row) => {
  const run = await addRunRow(pool, row);
  await moveWatermarks(db, run, table, { sourceFetchedAt: january });
  expect(await readWatermark()).toBeNull();
  await moveWatermarks(db, await addRunRow(pool), table, { sourceFetchedAt: february });
  await moveWatermarks(db, run, table, { sourceFetchedAt: march });
  expect(await readWatermark()).toBe(february);
});

test.each(['schedule', 'manual', 'signal', 'first_start'])(
  'a sync that was started by %s moves it',
  async (trigger) => {
    await moveWatermarks(db, await addRunRow(pool, { trigger }), table, { sourceFetchedAt: january });
    expect(await readWatermark()).toBe(january);
  },
);

test('a run that is not there moves nothing', async () => {
  await moveWatermarks(db, randomUUID() as RunId, table, { sourceFetchedAt: january });
  expect(await readWatermark()).toBeNull();
});
