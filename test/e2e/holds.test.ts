import { beforeEach, describe, expect, test } from 'vitest';
import type { DecideHoldInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { holdId } from '../../src/domain/ids.ts';
import { closeRun } from '../../src/db/runs.ts';
import { decideRun, decisionDone, NotHeldError } from '../../src/temporal/runs.ts';
import {
  activityFile,
  FLEET_PATHS,
  makeFile,
  partnerFile,
  partnerLine,
  vehicleFile,
  vehicleLine,
} from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { answerFleet, runResult, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;
const MAKES = FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL;
const stagingTables = `
  SELECT relname, relpersistence FROM pg_class WHERE relnamespace = 'durasync_staging'::regnamespace AND relkind = 'r'`;

/** A night on which 4 of 10 partners are missing and one has moved, while a vehicle changed its colour. */
async function heldNight(color = 'Red'): Promise<RunId> {
  const moved = partnerFile(6).replace(partnerLine(2), partnerLine(2, '5 Peachtree St, Atlanta, GA 30303'));
  fleet.server.answer(PARTNERS, moved);
  fleet.server.answer(VEHICLES, vehicleFile(10).replace(vehicleLine(1), vehicleLine(1, color)));
  const result = await fleet.run();
  expect(result.status).toBe('held');
  return result.run_id;
}

async function decided(runId: RunId, decision: 'approve' | 'reject', reason?: string) {
  await decideRun(fleet.client, runId, { decision, by: 'Ann', reason });
  await decisionDone(fleet.client, runId);
  return runResult(fleet.database, runId);
}

/** Every table as on a good night, nothing archived and no hold left. */
beforeEach(async () => {
  answerFleet(fleet.server);
  await fleet.run();
});

describe('a held run', () => {
  test('ends at once with its reason, keeps what it staged through a crash, and merges the other tables', async () => {
    const before = await liveTables(fleet, ['media_partners']);
    const runId = await heldNight('Pink');
    const reason =
      'media_partners: 4 of 10 live rows (40 %) are missing from the source; the guard allows 20 %.';
    const result = await runResult(fleet.database, runId);
    expect(result).toMatchObject({
      status: 'held',
      success_count: 4,
      failure_count: 0,
      error_message: reason,
    });
    expect(result.end_time).not.toBeNull();
    expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'held', error: reason });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', updated: 1 });
    const [run] = await fleet.rows(
      `SELECT metadata->'hold' AS hold FROM sync_runs WHERE run_id = '${runId}'`,
    );
    expect(run).toEqual({ hold: [{ table: 'media_partners', reason }] });
    const staged = await fleet.rows(stagingTables);
    expect(staged.map(({ relname }) => relname)).toContainEqual(expect.stringMatching(/media_partners$/));
    const kept = staged.filter(({ relname }) => /media_partners/.test(String(relname)));
    expect(kept).toHaveLength(2);
    expect(kept.every(({ relpersistence }) => relpersistence === 'p')).toBe(true);
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
    await decided(runId, 'reject');
  });

  test('that is approved merges exactly what was shown, then enriches and derives again', async () => {
    const runId = await heldNight();
    // What the source shows by then is of no importance.
    fleet.server.answer(PARTNERS, partnerFile(10));
    const asked = fleet.server.requests.get(PARTNERS);
    const result = await decided(runId, 'approve');
    expect(result).toMatchObject({ status: 'completed', success_count: 5, error_message: null });
    expect(tableOf(result, 'media_partners')).toMatchObject({
      status: 'completed',
      success: true,
      updated: 1,
      unchanged: 5,
      archived: 4,
      error: null,
    });
    expect(result.enrich[0]?.counts).toMatchObject({ asked: 1, ok: 1 });
    expect(result.derive[0]).toMatchObject({ success: true });
    expect(await fleet.rows(`SELECT count(*) FROM media_partners`)).toEqual([{ count: 6 }]);
    expect(
      await fleet.rows(`SELECT address, geocode_status FROM media_partners WHERE person_id = '2'`),
    ).toEqual([{ address: '5 Peachtree St, Atlanta, GA 30303', geocode_status: 'OK' }]);
    expect(fleet.server.requests.get(PARTNERS)).toBe(asked);
    expect(await fleet.rows(stagingTables)).toEqual([]);
  });

  test('that is rejected leaves the held table as it was, and what the others merged stays', async () => {
    const before = await liveTables(fleet, ['media_partners']);
    const runId = await heldNight('Green');
    const result = await decided(runId, 'reject', 'the export is broken');
    expect(result).toMatchObject({
      status: 'rejected',
      error_message: 'rejected by Ann: the export is broken',
    });
    expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'skipped', success: false });
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
    expect(await fleet.rows(`SELECT color FROM vehicles WHERE vin = 'VIN0001'`)).toEqual([
      { color: 'Green' },
    ]);
    expect(await fleet.rows(stagingTables)).toEqual([]);
  });

  test('takes one decision only', async () => {
    const runId = await heldNight();
    const decisions = await Promise.allSettled(
      (['approve', 'reject'] as const).map((decision) =>
        decideRun(fleet.client, runId, { decision, by: 'Ann' }),
      ),
    );
    expect(decisions.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await decisionDone(fleet.client, runId);
    await expect(decideRun(fleet.client, runId, { decision: 'approve', by: 'Bob' })).rejects.toThrow(
      NotHeldError,
    );
  });

  test('that is approved after its table changed says stale and merges nothing', async () => {
    const runId = await heldNight();
    // As an undo or an upload does; a run that merges would supersede the hold.
    await fleet.rows(
      `UPDATE table_state SET generation = generation + 1 WHERE table_name = 'media_partners'`,
    );
    const before = await liveTables(fleet);
    const result = await decided(runId, 'approve');
    expect(result).toMatchObject({
      status: 'rejected',
      error_message: 'stale: media_partners changed since this was shown. Start a new run.',
    });
    expect(tableOf(result, 'media_partners')).toMatchObject({
      status: 'skipped',
      error: 'stale: the table has changed since it was shown',
      archived: 0,
    });
    expect(await liveTables(fleet)).toEqual(before);
  });

  test('is superseded by a later run that merges its table', async () => {
    const runId = await heldNight();
    fleet.server.answer(PARTNERS, partnerFile(9));
    const later = await fleet.run({ tables: ['media_partners'] });
    expect(tableOf(later, 'media_partners')).toMatchObject({ status: 'completed', archived: 1 });
    await decisionDone(fleet.client, runId);
    const result = await runResult(fleet.database, runId);
    expect(result).toMatchObject({ status: 'rejected', error_message: `superseded by ${later.run_id}` });
    await expect(decideRun(fleet.client, runId, { decision: 'approve', by: 'Ann' })).rejects.toThrow(
      NotHeldError,
    );
  });

  test('is not superseded by a later run that is held itself, or merges other tables', async () => {
    const runId = await heldNight();
    const other = await heldNight();
    await fleet.run({ tables: ['vehicles', 'current_activity'] });
    for (const held of [runId, other]) {
      expect(await runResult(fleet.database, held)).toMatchObject({ status: 'held' });
      await decided(held, 'reject');
    }
  });

  test('with two held tables of which one is superseded can still be approved for the other', async () => {
    fleet.server.answer(MAKES, makeFile(5));
    const runId = await heldNight();
    const [run] = await fleet.rows(
      `SELECT metadata->'hold' AS hold FROM sync_runs WHERE run_id = '${runId}'`,
    );
    expect(run?.['hold']).toHaveLength(2);
    fleet.server.answer(MAKES, makeFile(9));
    const later = await fleet.run({ tables: ['approved_makes'] });
    const result = await decided(runId, 'approve');
    expect(result).toMatchObject({ status: 'completed' });
    expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'completed', archived: 4 });
    expect(tableOf(result, 'approved_makes')).toMatchObject({
      status: 'skipped',
      error: `superseded by ${later.run_id}`,
      archived: 0,
    });
    expect(await fleet.rows(`SELECT count(*) FROM approved_makes`)).toEqual([{ count: 9 }]);
  });

  test('with a failed table beside the held one is completed with errors after its approval', async () => {
    fleet.server.answer(MAKES, '<html>no</html>');
    const runId = await heldNight();
    expect(await runResult(fleet.database, runId)).toMatchObject({ status: 'held', failure_count: 1 });
    const result = await decided(runId, 'approve');
    expect(result).toMatchObject({ status: 'completed_with_errors', success_count: 4, failure_count: 1 });
    expect(result.error_message).toContain('HTML page');
  });

  test('reports the unusual facts of the held table too', async () => {
    const header = 'Person_ID,Name,Office,Shoe Size\n';
    fleet.server.answer(PARTNERS, `${header}1,Partner 1,Los Angeles,42\n`);
    const result = await fleet.run({ tables: ['media_partners'] });
    expect(result).toMatchObject({
      status: 'held',
      notices: ['media_partners: the source has columns that are not loaded: Shoe Size.'],
    });
    await decided(result.run_id, 'reject');
  });

  test('whose hold is cancelled ends as cancelled, merges nothing and drops what it staged', async () => {
    const before = await liveTables(fleet, ['media_partners']);
    const runId = await heldNight();
    const hold = fleet.client.workflow.getHandle(holdId(runId));
    await hold.cancel();
    await expect(hold.result()).rejects.toThrow(/cancelled/i);
    const result = await runResult(fleet.database, runId);
    expect(result).toMatchObject({ status: 'cancelled', error_message: 'The hold was cancelled.' });
    expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'skipped' });
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
    expect(await fleet.rows(stagingTables)).toEqual([]);
  });

  test('waits 24 hours when the setting of its hours is blank', async () => {
    fleet.env['DURASYNC_HOLD_HOURS'] = ' ';
    const runId = await heldNight();
    delete fleet.env['DURASYNC_HOLD_HOURS'];
    const { events } = await fleet.client.workflow.getHandle(holdId(runId)).fetchHistory();
    const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const { plan } = JSON.parse(Buffer.from(input?.data ?? []).toString()) as DecideHoldInput;
    expect(plan.holdMs).toBe(24 * 3_600_000);
    await decided(runId, 'reject');
  });

  test('that was rejected before its own workflow had ended its row stays rejected', async () => {
    const runId = await heldNight();
    await decided(runId, 'reject', 'wrong export');
    // What runSync does last, coming late.
    const late = await closeRun(fleet.database.db, { runId, enrich: [], derive: [], notices: [] });
    expect(late).toMatchObject({ status: 'rejected', error_message: 'rejected by Ann: wrong export' });
  });
});

test('a hold of a table that was empty before merges all of its valid rows', async () => {
  await fleet.rows(`DELETE FROM current_activity`);
  const wrong = activityFile(10).replaceAll('03/10/26', (day, at: number) => (at < 120 ? 'never' : day));
  fleet.server.answer(FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL, wrong);
  const held = await fleet.run({ tables: ['current_activity'] });
  const { quarantined, rows_processed: valid } = tableOf(held, 'current_activity');
  expect(held.status).toBe('held');
  expect(quarantined).toBeGreaterThan(1);
  const result = await decided(held.run_id, 'approve');
  expect(tableOf(result, 'current_activity')).toMatchObject({ status: 'completed', inserted: valid });
  expect(await fleet.rows(`SELECT count(*) FROM current_activity`)).toEqual([{ count: valid }]);
});
