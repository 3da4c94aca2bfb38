import { describe, expect, test } from 'vitest';
import { carRecord, carRecords } from '../support/fake-auctions.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { tableOf } from '../support/sync-harness.ts';

const harness = await startCarsHarness();
const { auctions, run, rows, logOf } = harness;

const carOf = async (id: number): Promise<Record<string, unknown> | undefined> =>
  (await rows(`SELECT * FROM cars WHERE external_id = '${id}'`))[0];
const archivedOf = async (id: number): Promise<Record<string, unknown> | undefined> =>
  (await rows(`SELECT * FROM cars_archive WHERE external_id = '${id}'`))[0];
const counts = async (): Promise<unknown> =>
  (
    await rows(`SELECT (SELECT count(*) FROM cars) AS live, (SELECT count(*) FROM cars_archive) AS archived`)
  )[0];
/** As if the status of cars had changed days ago. */
const age = (ids: string, days: number): Promise<unknown> =>
  rows(
    `UPDATE cars SET status_changed_at = status_changed_at - interval '${days} days' WHERE external_id IN (${ids})`,
  );

/** The source shows cars 1 to 120, with these in another way. */
function show(changes: Readonly<Record<number, object>>, without: readonly number[] = []): void {
  auctions.cars = carRecords(120)
    .map((car) => {
      const lot = changes[Number(car['id'])];
      return lot ? carRecord(Number(car['id']), lot) : car;
    })
    .filter((car) => !without.includes(Number(car['id'])));
}

describe('runs of cars', () => {
  test('an incremental run reads the first page', async () => {
    show({});
    const result = await run();
    expect(result).toMatchObject({ status: 'completed', total_rows_processed: 50 });
    expect([...auctions.requests.keys()]).toEqual([1]);
    expect(auctions.lastQuery).toEqual({ per_page: '50', page: '1', simple_paginate: '0' });
    expect(await logOf(result.run_id)).toMatchObject({
      sync_type: 'incremental',
      status: 'completed',
      cars_synced: 50,
      cars_archived: 0,
      error_message: null,
      metadata: { encar_count: 25, kbchachacha_count: 25 },
    });
  });

  test('a full run reads every page', async () => {
    auctions.requests.clear();
    const result = await run({ full: true });
    expect(tableOf(result, 'cars')).toMatchObject({ inserted: 70, updated: 0, unchanged: 50 });
    expect([...auctions.requests]).toEqual([1, 2, 3].map((page) => [page, 1]));
    expect(await counts()).toEqual({ live: 120, archived: 0 });
    const log = await logOf(result.run_id);
    expect(log).toMatchObject({
      sync_type: 'full',
      cars_synced: 120,
      metadata: { encar_count: 60, kbchachacha_count: 60 },
    });
    expect(log?.['completed_at']).toBeInstanceOf(Date);
  });

  test('unchanged pages write nothing', async () => {
    const before = await rows(`SELECT xmin::text, * FROM cars ORDER BY external_id`);
    expect(tableOf(await run({ full: true }), 'cars')).toMatchObject({ inserted: 0, updated: 0 });
    expect(await rows(`SELECT xmin::text, * FROM cars ORDER BY external_id`)).toEqual(before);
  });

  test('status_changed_at moves with the status and with nothing else', async () => {
    const first = await carOf(1);
    show({ 1: { buy_now: 9_000 }, 2: { status: 3 } });
    await run();
    const second = await carOf(1);
    expect(second).toMatchObject({ listed_price: '9000.00', landed_price: '11550', status: 'active' });
    expect(second?.['status_changed_at']).toEqual(first?.['status_changed_at']);
    expect(second?.['updated_at']).not.toEqual(first?.['updated_at']);
    const sold = await carOf(2);
    expect(sold?.['status']).toBe('sold');
    expect(Number(sold?.['status_changed_at'])).toBeGreaterThan(Number(first?.['status_changed_at']));
  });

  test('a sold car stays seven days and moves to the archive exactly once', async () => {
    await age(`'2'`, 6);
    expect(tableOf(await run(), 'cars')).toMatchObject({ archived: 0 });
    await age(`'2'`, 1.01);
    const result = await run();
    expect(tableOf(result, 'cars')).toMatchObject({ archived: 1, status: 'completed' });
    expect(await logOf(result.run_id)).toMatchObject({ cars_archived: 1 });
    const archived = await archivedOf(2);
    expect(archived?.['archive_reason']).toMatch(/^sold since \d{4}-\d{2}-\d{2}$/);
    for (const full of [false, true]) {
      expect(tableOf(await run({ full }), 'cars')).toMatchObject({ inserted: 0, restored: 0, archived: 0 });
    }
    expect(await counts()).toEqual({ live: 119, archived: 1 });
    expect(await archivedOf(2)).toEqual(archived);
  });

  test('it stays there while it is pending, and returns when it is active again', async () => {
    show({ 2: { status: 2 } });
    expect(tableOf(await run(), 'cars')).toMatchObject({ inserted: 0, restored: 0 });
    show({});
    expect(tableOf(await run(), 'cars')).toMatchObject({ inserted: 0, restored: 1 });
    const back = await carOf(2);
    expect(back?.['status']).toBe('active');
    expect(Date.now() - Number(back?.['status_changed_at'])).toBeLessThan(60_000);
    expect(await counts()).toEqual({ live: 120, archived: 0 });
  });

  test('a car that a full run no longer sees is archived by status, and returns when shown again', async () => {
    show({}, [120]);
    expect(tableOf(await run(), 'cars')).toMatchObject({ updated: 0 });
    expect((await carOf(120))?.['status']).toBe('active');
    expect(tableOf(await run({ full: true }), 'cars')).toMatchObject({ updated: 1, archived: 0 });
    const gone = await carOf(120);
    expect(gone?.['status']).toBe('archived');
    expect(tableOf(await run({ full: true }), 'cars')).toMatchObject({ updated: 0, archived: 0 });
    expect(await carOf(120)).toEqual(gone);
    show({});
    expect(tableOf(await run({ full: true }), 'cars')).toMatchObject({ updated: 1 });
    expect((await carOf(120))?.['status']).toBe('active');
  });

  test('a missing car moves to the archive after seven days, and comes back when shown', async () => {
    show({}, [120]);
    await run({ full: true });
    await age(`'120'`, 8);
    expect(tableOf(await run(), 'cars')).toMatchObject({ archived: 1 });
    expect((await archivedOf(120))?.['archive_reason']).toMatch(/^archived since /);
    show({});
    expect(tableOf(await run({ full: true }), 'cars')).toMatchObject({ restored: 1 });
    expect(await counts()).toEqual({ live: 120, archived: 0 });
  });

  test('a plan shows what would change and writes nothing', async () => {
    show({ 3: { buy_now: 1 } });
    const before = await rows(`SELECT * FROM cars ORDER BY external_id`);
    const result = await run({ kind: 'plan' });
    expect(tableOf(result, 'cars')).toMatchObject({ updated: 1, inserted: 0 });
    expect(await rows(`SELECT * FROM cars ORDER BY external_id`)).toEqual(before);
    expect(await logOf(result.run_id)).toBeUndefined();
  });
});
