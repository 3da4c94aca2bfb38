import { expect, test } from 'vitest';
import { previewUndo } from '../../src/db/undo.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { tablesOf } from '../../src/syncs/live-table-of.ts';
import { startUndoBed } from '../support/undo-bed.ts';

const bed = await startUndoBed();
const { rows, run, undo } = bed;
const preview = async (of: RunId) => {
  const found = await previewUndo(bed.database, of, tablesOf(bed.syncs));
  if (!found) throw new Error(`no run ${of}`);
  return found;
};

/** Empties the tables of leads and makes, so that each test begins alike. */
async function fresh(): Promise<void> {
  await bed.database.pool.query(
    `TRUNCATE fleet.approved_makes, fleet.approved_makes_archive, cars.cars, cars.cars_archive, rentals.leads,
       rentals.reports, commerce.client_data, durasync.table_state, durasync.watermarks`,
  );
}

test('inserted rows go, changed and archived ones are as they were, and those that came back are archived again', async () => {
  await fresh();
  await run('fleet', { approved_makes: { 1: 0, 2: 0, 9: 0 } });
  const second = await run('fleet', { approved_makes: { 1: 0, 2: 0, 3: 0 } });
  const before = await bed.state();
  const third = await run('fleet', { approved_makes: { 1: 1, 2: 0, 4: 0, 5: 0, 9: 0 } });
  expect(await preview(third)).toMatchObject({
    refusal: null,
    tables: [{ table: 'approved_makes', removed: 2, put_back: 1, unarchived: 1, archived_again: 1, gone: 0 }],
  });
  const undone = await undo(third);
  expect(undone).toMatchObject({ outcome: 'undone', rows: 5 });
  expect(await bed.state()).toEqual(before);
  expect(
    await rows(`SELECT status, metadata ->> 'undone_by' AS by FROM sync_runs WHERE run_id = '${third}'`),
  ).toEqual([{ status: 'undone', by: undone.runId }]);
  expect(
    await rows(`SELECT kind, status, total_rows_processed FROM sync_runs WHERE run_id = '${undone.runId}'`),
  ).toEqual([{ kind: 'undo', status: 'completed', total_rows_processed: 5 }]);
  expect(
    await rows(`SELECT actor, detail ->> 'reason' AS reason FROM audit_log WHERE subject = '${third}'`),
  ).toEqual([{ actor: 'test', reason: 'a test' }]);
  expect(await undo(second)).toMatchObject({ outcome: 'undone' });
});

test('taking back twice changes nothing more and returns the same', async () => {
  await fresh();
  const first = await run('fleet', { approved_makes: { 1: 0, 2: 0 } });
  const { runId, ...took } = await undo(first);
  const after = await bed.state();
  expect(await bed.call('takeBack', { runId, of: first, by: 'test', reason: 'a test' })).toEqual(took);
  expect(await bed.state()).toEqual(after);
  expect(await rows(`SELECT count(*) FROM audit_log WHERE subject = '${first}'`)).toEqual([{ count: 1 }]);
});

test('a merge that was reviewed before an undo finds that the table has moved', async () => {
  await fresh();
  const first = await run('fleet', { approved_makes: { 1: 0 } });
  const [before] = await rows(`SELECT generation FROM table_state WHERE table_name = 'approved_makes'`);
  await undo(first);
  const [after] = await rows(`SELECT generation FROM table_state WHERE table_name = 'approved_makes'`);
  expect(after?.['generation']).toBe(Number(before?.['generation']) + 1);
});

test('rows that later runs changed, archived or brought back are listed, and nothing is taken back', async () => {
  await fresh();
  await run('fleet', { approved_makes: { 1: 0, 2: 0, 3: 0, 4: 0 } });
  const second = await run('fleet', { approved_makes: { 1: 1, 2: 1, 3: 0, 5: 0 } });
  const third = await run('fleet', { approved_makes: { 1: 2, 3: 0, 4: 0, 5: 1 } });
  const state = await bed.state();
  const { refusal, conflicts, conflict_count: total } = await preview(second);
  expect(refusal).toBe(
    `4 rows of run ${second} were changed since. Undo the later runs first, newest first, or correct the rows by hand.`,
  );
  expect(total).toBe(4);
  const table = 'approved_makes';
  expect(conflicts).toEqual([
    { table, key: { person_id: '2', make: 'AUDI' }, reason: `archived by run ${third}` },
    { table, key: { person_id: '4', make: 'AUDI' }, reason: `brought back by run ${third}` },
    { table, key: { person_id: '1', make: 'AUDI' }, reason: `changed by run ${third}` },
    { table, key: { person_id: '5', make: 'AUDI' }, reason: `changed by run ${third}` },
  ]);
  expect(await undo(second)).toMatchObject({ outcome: 'refused', reason: refusal });
  expect(await bed.state()).toEqual(state);
  await undo(third);
  expect(await undo(second)).toMatchObject({ outcome: 'undone' });
});

test('rows in which a person wrote, or which a person closed, are listed', async () => {
  await fresh();
  const leads = await run('rentals', { bookings: { 1: 0, 2: 0, 3: 1, 4: 1 }, walk_ins: { 5: 2 } });
  await rows(`UPDATE leads SET call_status = 'Called', rating = 3 WHERE booking_no = '1'`);
  await rows(`UPDATE leads SET remarks = 'wants blue' WHERE booking_no = '3'`);
  await rows(`UPDATE leads SET remarks = 'wants blue' WHERE phone = '9000000005'`);
  await rows(
    `WITH gone AS (DELETE FROM leads WHERE booking_no = '4' RETURNING *)
     INSERT INTO reports (lead_key, lead_id, lead_type, booking_no, phone, name, store, closed_by, snapshot)
     SELECT lead_key, lead_id, lead_type, booking_no, phone, name, store, 'anu', to_jsonb(gone) FROM gone`,
  );
  const { conflicts } = await preview(leads);
  expect(conflicts.map(({ reason }) => reason)).toEqual([
    'a person changed call_status, rating',
    'a person changed remarks',
    'a person changed remarks',
    'a person moved it to reports',
  ]);
});

test('what people write may also have come with the row', async () => {
  await fresh();
  const leads = await run('rentals', { bookings: { 1: 0, 2: 1 }, walk_ins: { 3: 0, 4: 3 } });
  expect((await preview(leads)).tables).toMatchObject([{ table: 'leads', removed: 4 }]);
  expect(await undo(leads)).toMatchObject({ outcome: 'undone', rows: 4 });
  expect(await rows('SELECT count(*) FROM leads')).toEqual([{ count: 0 }]);
});

test('a row that a person wrote in before it was changed comes back with what was written', async () => {
  await fresh();
  await run('rentals', { walk_ins: { 1: 0 } });
  await rows(`UPDATE leads SET call_status = 'Called'`);
  const second = await run('rentals', { walk_ins: { 1: 1 } });
  expect(await undo(second)).toMatchObject({ outcome: 'undone', rows: 1 });
  expect(await rows('SELECT call_status, category FROM leads')).toEqual([
    { call_status: 'Called', category: 'category 0' },
  ]);
});

test('cars that ended, expired, or both in one run are as they were', async () => {
  await fresh();
  await run('cars', { cars: { 1: 0, 2: 1, 3: 0 } }, { full: true });
  const before = await bed.state();
  const late = new Date(Date.now() + 8 * 86_400_000).toISOString();
  const second = await run('cars', { cars: { 1: 4 } }, { full: true, logicalAt: late });
  expect(await rows('SELECT external_id FROM cars')).toEqual([{ external_id: '1' }]);
  expect((await preview(second)).tables).toMatchObject([{ table: 'cars', put_back: 2, unarchived: 2 }]);
  expect(await undo(second)).toMatchObject({ outcome: 'undone' });
  expect(await bed.state()).toEqual(before);
});

test('an undo, a plan, an open run, a run that changed nothing and one that is undone are refused with a reason', async () => {
  await fresh();
  const first = await run('fleet', { approved_makes: { 1: 0 } });
  const same = await run('fleet', { approved_makes: { 1: 0 } });
  const plan = await run('fleet', { approved_makes: { 1: 0 } }, { kind: 'plan' });
  const { runId } = await undo(first);
  const refusals = await Promise.all(
    [same, plan, runId, first].map(async (id) => (await preview(id)).refusal),
  );
  expect(refusals).toEqual([
    expect.stringContaining('changed nothing'),
    expect.stringContaining('only showed'),
    expect.stringContaining('is itself an undo'),
    `Run ${first} has been undone already, by run ${runId}.`,
  ]);
  await expect(undo(first)).rejects.toThrow('undone already');
});

test('no run opens while an undo of its sync does, and none is undone while one is open', async () => {
  await fresh();
  const first = await run('fleet', { approved_makes: { 1: 0 } });
  const input = { workflowId: 'test', logicalAt: new Date().toISOString() };
  const undoId = '00000000-0000-4000-8000-00000000000a' as RunId;
  await bed.call('planUndo', { ...input, runId: undoId, of: first });
  await expect(run('fleet', { approved_makes: { 2: 0 } })).rejects.toThrow('This one waits for it');
  await bed.call('finishRun', { runId: undoId, status: 'failed' });
  const openId = '00000000-0000-4000-8000-00000000000b' as RunId;
  await bed.call('planRun', { ...input, runId: openId, sync: 'fleet', trigger: 'manual' });
  expect((await preview(first)).refusal).toContain('is under way');
  await expect(undo(first)).rejects.toThrow('is under way');
  await bed.call('finishRun', { runId: openId, status: 'cancelled' });
  expect(await undo(first)).toMatchObject({ outcome: 'undone' });
});

test('a run whose before images are gone is refused', async () => {
  await fresh();
  await run('fleet', { approved_makes: { 1: 0 } });
  const second = await run('fleet', { approved_makes: { 1: 1 } });
  await rows(`DELETE FROM row_changes WHERE run_id = '${second}'`);
  expect((await preview(second)).refusal).toContain('is not kept any more');
});

test('a run that is deleted takes what it kept with it', async () => {
  await fresh();
  await run('fleet', { approved_makes: { 1: 0 } });
  const second = await run('fleet', { approved_makes: { 1: 1 } });
  const kept = `SELECT count(*) FROM row_changes WHERE run_id = '${second}'`;
  expect(await rows(kept)).toEqual([{ count: 1 }]);
  await rows(`DELETE FROM sync_runs WHERE run_id = '${second}'`);
  expect(await rows(kept)).toEqual([{ count: 0 }]);
});
