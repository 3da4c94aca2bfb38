import { beforeEach, describe, expect, test } from 'vitest';
import { findTable } from '../../activities/dependencies.ts';
import { inTransaction } from '../../src/db/connect.ts';
import { copyColumns, StagedRows } from '../../src/db/copy-text.ts';
import { closeRun } from '../../src/db/runs.ts';
import { commitPage, type PageToCommit, takeOverStaging } from '../../src/db/staging.ts';
import {
  loadTable,
  stageAndReview,
  startActivityHarness,
  readingOf,
  tableOfRun,
} from '../support/activity-harness.ts';
import { answerNight, faultFleet, firstNight, secondNight, thirdNight } from '../support/fault-fleet.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import { waitUntil } from '../support/wait-until.ts';
import { liveTableOf } from '../../src/syncs/live-table-of.ts';

const harness = await startActivityHarness();
const { database, server, rows, call } = harness;
const makes = liveTableOf(faultFleet, findTable(faultFleet, 'approved_makes'), '');
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const fenced = { code: 'Fenced' };

/** A page with one good row and one bad one, which carry `name`. */
function page(number: number, name: string): PageToCommit {
  const good = new StagedRows();
  const values = { person_id: `${number}`, name, make: 'AUDI', rank: 'A' };
  good.add(number + 1, 'valid', copyColumns(makes.columns, values));
  return {
    page: number,
    pages: 1,
    rows: good,
    fetched: 2,
    quarantined: [{ position: 100 + number, raw: name, reasons: ['bad'], unreadable: false, values: null }],
    unreadable: 0,
    drift: [],
    nextCursor: null,
  };
}

const stagedNames = (relation: string) =>
  rows(`SELECT name FROM durasync_staging.${relation} ORDER BY position`);

beforeEach(() => answerNight(server, '', firstNight));

describe('staging', () => {
  test('an attempt that was taken over while it waited for the source is fenced and changes nothing', async () => {
    const stalled = stalledAnswer(firstNight.FMS_VEHICLES_CSV_URL, 100);
    server.answer(VEHICLES, stalled.answer);
    const plan = await harness.plan(['vehicles']);
    const input = { ...tableOfRun(plan, 'vehicles'), ...readingOf(plan) };
    const zombieEnds = expect(call('stageTable', input)).rejects.toMatchObject({ type: 'Fenced' });
    await waitUntil('the first attempt has committed pages', async () => {
      const [progress] = await rows(`SELECT page FROM staging_progress WHERE run_id = '${plan.runId}'`);
      return Number(progress?.['page'] ?? 0) >= 5;
    });
    server.answer(VEHICLES, thirdNight.FMS_VEHICLES_CSV_URL);
    const second = await call('stageTable', input);
    const counts = `SELECT * FROM sync_run_tables WHERE run_id = '${plan.runId}'`;
    const before = await rows(counts);
    stalled.release();
    await zombieEnds;
    expect(await rows(counts)).toEqual(before);
    expect(await rows(`SELECT count(*) FROM durasync_staging.${second.relation}`)).toEqual([{ count: 1500 }]);
    expect(await call('stageTable', input)).toEqual(second);
  });

  test('committing the same page twice changes nothing', async () => {
    const { runId } = await harness.plan();
    const attempt = await takeOverStaging(database, runId, makes);
    await commitPage(database, attempt, page(0, 'first'));
    await expect(commitPage(database, attempt, page(0, 'again'))).rejects.toMatchObject(fenced);
    expect(await stagedNames(attempt.relation)).toEqual([{ name: 'first' }]);
    expect(await rows(`SELECT raw FROM quarantined_rows WHERE run_id = '${runId}'`)).toEqual([
      { raw: 'first' },
    ]);
    const counts = await rows(
      `SELECT fetched, quarantined FROM sync_run_tables WHERE run_id = '${runId}' AND table_name = 'approved_makes'`,
    );
    expect(counts).toEqual([{ fetched: 2, quarantined: 1 }]);
  });

  test('an attempt from before a crash of the database is fenced also when the next one is at its page', async () => {
    const { runId } = await harness.plan();
    const zombie = await takeOverStaging(database, runId, makes);
    await commitPage(database, zombie, page(0, 'first'));
    // What a crash does to unlogged tables.
    await rows(`TRUNCATE durasync.staging_progress, durasync_staging.${zombie.relation}`);
    await expect(commitPage(database, zombie, page(1, 'lost'))).rejects.toMatchObject(fenced);
    const next = await takeOverStaging(database, runId, makes);
    await commitPage(database, next, page(0, 'next'));
    await expect(commitPage(database, zombie, page(1, 'zombie'))).rejects.toMatchObject(fenced);
    expect(await stagedNames(next.relation)).toEqual([{ name: 'next' }]);
  });

  test('a source with a cursor goes on behind the last page, and the earlier attempt is fenced', async () => {
    const { runId } = await harness.plan();
    const zombie = await takeOverStaging(database, runId, makes);
    await commitPage(database, zombie, { ...page(0, 'one'), nextCursor: 'page 2' });
    const next = await takeOverStaging(database, runId, makes);
    expect(next).toMatchObject({ relation: zombie.relation, nextCursor: 'page 2', page: 1 });
    await expect(commitPage(database, zombie, page(1, 'zombie'))).rejects.toMatchObject(fenced);
    await commitPage(database, next, page(1, 'two'));
    expect(await stagedNames(next.relation)).toEqual([{ name: 'one' }, { name: 'two' }]);
  });

  test('nothing is staged for a run that has ended', async () => {
    const { runId } = await harness.plan();
    await closeRun(database.db, { runId, status: 'failed', message: 'ended by the sweep' });
    const relations = `SELECT count(*) FROM pg_tables WHERE schemaname = 'durasync_staging'`;
    const before = await rows(relations);
    await expect(takeOverStaging(database, runId, makes)).rejects.toMatchObject({ code: 'RunEnded' });
    expect(await rows(relations)).toEqual(before);
  });

  test('a run that ends before its first rows come leaves nothing behind', async () => {
    const { runId } = await harness.plan();
    const attempt = await takeOverStaging(database, runId, makes);
    await closeRun(database.db, { runId, status: 'failed', message: 'ended by the sweep' });
    await expect(commitPage(database, attempt, page(0, 'late'))).rejects.toMatchObject({ code: 'RunEnded' });
    expect(await rows(`SELECT FROM pg_tables WHERE tablename = '${attempt.relation}'`)).toEqual([]);
    expect(await rows(`SELECT FROM quarantined_rows WHERE run_id = '${runId}'`)).toEqual([]);
  });

  test('a review of staging that a crash has emptied says lost, and holds nothing', async () => {
    await loadTable(harness, 'current_activity');
    const plan = await harness.plan(['current_activity']);
    const { staged, runId, sync, scope, table } = await stageAndReview(harness, plan, 'current_activity');
    await rows(`TRUNCATE durasync.staging_progress, durasync_staging.${staged.relation}`);
    const review = await call('reviewTable', { runId, sync, scope, table, staged, kind: 'sync' });
    expect(review).toMatchObject({ verdict: 'lost', reason: null });
  });
});

test('a worker that is frozen in a transaction keeps its locks for a minute at most', async () => {
  const shown = await inTransaction(database.pool, (client) =>
    client.query('SHOW idle_in_transaction_session_timeout'),
  );
  expect(shown.rows).toEqual([{ idle_in_transaction_session_timeout: '1min' }]);
});

describe('two runs of the same table', () => {
  test('a merge after another run merged says moved, writes nothing, and merges after a new review', async () => {
    await loadTable(harness, 'vehicles');
    const [early, other] = [await harness.plan(['vehicles']), await harness.plan(['vehicles'])];
    answerNight(server, '', secondNight);
    const theirs = await stageAndReview(harness, other, 'vehicles');
    answerNight(server, '', thirdNight);
    const ours = await stageAndReview(harness, early, 'vehicles');
    expect(await call('mergeStaged', theirs)).toMatchObject({ outcome: 'merged', inserted: 0 });
    const before = await rows('SELECT * FROM vehicles ORDER BY vin');
    expect(await call('mergeStaged', ours)).toEqual({ outcome: 'moved' });
    expect(await rows('SELECT * FROM vehicles ORDER BY vin')).toEqual(before);
    const review = await call('reviewTable', { ...ours, kind: 'sync' });
    expect(await call('mergeStaged', { ...ours, review })).toMatchObject({ outcome: 'merged', inserted: 1 });
    expect(await rows(`SELECT last_run_id FROM vehicles WHERE vin = 'VIN1501'`)).toEqual([
      { last_run_id: early.runId },
    ]);
  });

  test('a review that finds no difference merges at once, and ends the table', async () => {
    await loadTable(harness, 'vehicles');
    const [early, plan] = [await harness.plan(['vehicles']), await harness.plan(['vehicles'])];
    answerNight(server, '', thirdNight);
    const outrun = await stageAndReview(harness, early, 'vehicles');
    answerNight(server, '', firstNight);
    const same = await stageAndReview(harness, plan, 'vehicles');
    expect(same.review).toMatchObject({ verdict: 'same', unchanged: 1500, rows: 0 });
    expect(
      await rows(`SELECT status, unchanged FROM sync_run_tables WHERE run_id = '${plan.runId}'`),
    ).toEqual([{ status: 'completed', unchanged: 1500 }]);
    expect(await rows(`SELECT merged_run_id FROM table_state WHERE table_name = 'vehicles'`)).toEqual([
      { merged_run_id: plan.runId },
    ]);
    // What was reviewed before that counts no more, and its snapshot is the older one.
    expect(await call('mergeStaged', outrun)).toEqual({ outcome: 'moved' });
    expect(await call('reviewTable', { ...outrun, kind: 'sync' })).toMatchObject({ verdict: 'older' });
  });

  test('a plan that finds no difference merges nothing', async () => {
    await loadTable(harness, 'vehicles');
    const before = await rows('SELECT * FROM table_state');
    const plan = await harness.plan(['vehicles']);
    const { staged, ...of } = await stageAndReview(harness, plan, 'vehicles', 'plan');
    expect(of.review).toMatchObject({ verdict: 'pass', rows: 0, missing: 0 });
    expect(staged.staged).toBe(1500);
    expect(await rows('SELECT * FROM table_state')).toEqual(before);
  });

  test('an archive after another run merged archives nothing', async () => {
    await loadTable(harness, 'vehicles');
    const plan = await harness.plan(['vehicles']);
    answerNight(server, '', thirdNight);
    const early = await stageAndReview(harness, plan, 'vehicles');
    expect(early.review.missing).toBe(1);
    const merged = await call('mergeStaged', early);
    answerNight(server, '', firstNight);
    await loadTable(harness, 'vehicles');
    const generation = merged.outcome === 'merged' ? merged.generation : 0;
    expect(await call('archiveMissing', { ...early, generation })).toEqual({ outcome: 'moved' });
    expect(await rows(`SELECT vin FROM vehicles WHERE vin = 'VIN1500'`)).toEqual([{ vin: 'VIN1500' }]);
  });

  test('a snapshot fetched before the merged one is older, whatever it holds', async () => {
    const plan = await harness.plan(['vehicles']);
    const first = await stageAndReview(harness, plan, 'vehicles');
    const later = await loadTable(harness, 'vehicles');
    const review = await call('reviewTable', { ...first, kind: 'sync' });
    expect(review).toMatchObject({ verdict: 'older', reason: `older than ${later.runId}` });
  });

  test('a merge or an archive whose reviewed rows are gone says lost and writes nothing', async () => {
    await loadTable(harness, 'vehicles');
    const plan = await harness.plan(['vehicles']);
    answerNight(server, '', thirdNight);
    const reviewed = await stageAndReview(harness, plan, 'vehicles');
    const before = await rows('SELECT * FROM vehicles ORDER BY vin');
    await rows(`TRUNCATE durasync_staging.${reviewed.review.relation}`);
    const { generation } = reviewed.review;
    expect(await call('archiveMissing', { ...reviewed, generation })).toEqual({ outcome: 'lost' });
    expect(await call('mergeStaged', reviewed)).toEqual({ outcome: 'lost' });
    expect(await rows('SELECT * FROM vehicles ORDER BY vin')).toEqual(before);
  });
});
