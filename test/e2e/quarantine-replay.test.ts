import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { durasync, type Finished, type Variables } from '../support/durasync.ts';
import { FLEET_PATHS, makeFile, makeLine, vehicleFile, vehicleLine } from '../support/fleet-files.ts';
import { decideRun, decisionDone } from '../../src/temporal/runs.ts';
import { testEngine } from '../support/engines.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const home = await mkdtemp(join(tmpdir(), 'durasync-replay-'));
afterAll(() => rm(home, { recursive: true, force: true }));

const MAKES = FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL;
const variables: Variables = {
  ...fleet.env,
  DURASYNC_HOME: home,
  DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  DATABASE_URL: fleet.database.databaseUrl,
  TEMPORAL_ADDRESS: (await testEngine('/temporal')).address,
  TEMPORAL_NAMESPACE: fleet.client.options.namespace,
};
const replay = (...args: string[]): Promise<Finished> =>
  durasync(['quarantine', 'replay', ...args], variables);

async function unresolved(table: string): Promise<number[]> {
  const rows = await fleet.rows(
    `SELECT id FROM quarantined_rows WHERE table_name = '${table}' AND resolved_at IS NULL ORDER BY id DESC`,
  );
  return rows.map(({ id }) => Number(id));
}

const ranks = () => fleet.rows(`SELECT person_id, rank, last_run_id FROM approved_makes ORDER BY person_id`);
const state = () => fleet.rows(`SELECT * FROM table_state WHERE table_name = 'approved_makes'`);

beforeEach(async () => {
  answerFleet(fleet.server);
  await fleet.database.pool.query(`DELETE FROM quarantined_rows`);
});

/** Twenty makes, of which the third has a rank that does not exist. */
async function quarantineThird(): Promise<{ id: string; runId: string }> {
  fleet.server.answer(MAKES, makeFile(20).replace(makeLine(3), makeLine(3, 'D')));
  const result = await fleet.run({ tables: ['approved_makes'] });
  const [id] = await unresolved('approved_makes');
  return { id: String(id), runId: result.run_id };
}

describe('quarantine replay', () => {
  test('merges a corrected row alone, resolves it, and leaves the snapshot as new as it was', async () => {
    await fleet.run();
    const { id, runId } = await quarantineThird();
    const [before] = await state();
    const done = await replay(id, '--set', 'rank=b', '--json');
    expect(done).toMatchObject({ code: 0 });
    const { runs, rows } = JSON.parse(done.stdout);
    expect(rows).toEqual([
      expect.objectContaining({ id: Number(id), state: 'resolved', by_run_id: runs[0].run_id }),
    ]);
    expect(runs[0]).toMatchObject({ status: 'completed', total_rows_processed: 1 });
    expect(runs[0].tables).toEqual([
      expect.objectContaining({ table: 'approved_makes', updated: 1, archived: 0, inserted: 0, skipped: 0 }),
    ]);
    expect(runs[0].enrich).toHaveLength(1);
    const third = (await ranks()).find((row) => row['person_id'] === '3');
    expect(third).toMatchObject({ rank: 'B', last_run_id: runs[0].run_id });
    expect(await ranks()).toHaveLength(20);
    const [after] = await state();
    expect(after).toMatchObject({ merged_run_id: runId, source_fetched_at: before?.['source_fetched_at'] });
    expect(Number(after?.['generation'])).toBe(Number(before?.['generation']) + 1);
  });

  test('repeating it is harmless and says that the row is merged', async () => {
    const { id } = await quarantineThird();
    expect(await replay(id, '--set', 'rank=C')).toMatchObject({ code: 0 });
    const before = [await ranks(), await state()];
    const again = await replay(id);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`row ${id} `) });
    expect(again.stdout).toContain('merged by run');
    expect([await ranks(), await state()]).toEqual(before);
    const corrected = await replay(id, '--set', 'rank=A');
    expect(corrected).toMatchObject({ code: 2, stderr: expect.stringContaining("can't be corrected") });
  });

  test('a row that is still bad stays, with its newest reasons, and the good ones are merged', async () => {
    fleet.server.answer(
      MAKES,
      makeFile(20).replace(makeLine(3), makeLine(3, 'D')).replace(makeLine(4), makeLine(4, 'E')),
    );
    await fleet.run({ tables: ['approved_makes'] });
    const [fourth, third] = (await unresolved('approved_makes')).map(String) as [string, string];
    expect(await replay(third, '--set', 'rank=F')).toMatchObject({ code: 1 });
    await fleet.database.pool.query(
      `UPDATE quarantined_rows SET "values" = "values" || '{"rank":"C"}' WHERE id = ${fourth}`,
    );
    const done = await replay('--sync', 'fleet', '--table', 'approved_makes', '--json');
    const { runs, rows } = JSON.parse(done.stdout);
    expect(done.code).toBe(0);
    expect(runs[0].tables[0]).toMatchObject({
      rows_processed: 1,
      quarantined: 1,
      updated: 1,
      status: 'completed',
    });
    expect(rows).toEqual([
      expect.objectContaining({ state: 'ready', reasons: ["rank: 'F' is not one of A+, A, B, C, Pending"] }),
      expect.objectContaining({ id: Number(fourth), state: 'resolved' }),
    ]);
    expect(await unresolved('approved_makes')).toEqual([Number(third)]);
  });

  test('a row of an older snapshot is superseded and changes nothing', async () => {
    const { id } = await quarantineThird();
    const later = await quarantineThird();
    const before = await ranks();
    const refused = await replay(id, '--set', 'rank=B');
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`superseded by ${later.runId}`),
    });
    const old = await replay(id);
    expect(old).toMatchObject({ code: 2, stdout: expect.stringContaining('read again since') });
    expect(old.stdout).toContain('Nothing to replay.');
    const all = JSON.parse((await replay('--json')).stdout);
    expect(all.runs[0].tables[0]).toMatchObject({ skipped: 1, rows_processed: 0, quarantined: 1 });
    expect(all.skipped).toEqual([
      { sync: 'fleet', table: 'approved_makes', state: 'superseded', by_run_id: later.runId, rows: 1 },
    ]);
    expect(await ranks()).toEqual(before);
  });

  test('a snapshot that is merged while a replay is under way wins', async () => {
    const { id } = await quarantineThird();
    await fleet.rows(`UPDATE quarantined_rows SET "values" = "values" || '{"rank":"C"}' WHERE id = ${id}`);
    fleet.server.answer(MAKES, makeFile(20));
    // The snapshot's time moves as it does when a run merges between the stage and the review of the replay.
    await fleet.rows(`
      CREATE FUNCTION public.newer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE durasync.table_state SET generation = generation + 1, merged_run_id = 'newer',
               source_fetched_at = clock_timestamp() WHERE table_name = 'approved_makes';
        RETURN NEW;
      END $$;
      CREATE TRIGGER newer AFTER UPDATE OF result ON durasync.staging_progress
        FOR EACH ROW WHEN (NEW.result IS NOT NULL) EXECUTE FUNCTION public.newer()`);
    const before = await ranks();
    const result = await fleet.run({
      kind: 'replay',
      tables: ['approved_makes'],
      replay: { ids: [Number(id)] },
    });
    await fleet.rows(`DROP FUNCTION public.newer CASCADE`);
    expect(tableOf(result, 'approved_makes')).toMatchObject({ status: 'skipped', error: 'older than newer' });
    expect(await ranks()).toEqual(before);
    expect(await unresolved('approved_makes')).toEqual([Number(id)]);
  });

  test('refuses rows that have no values to correct, and says why', async () => {
    const long = vehicleLine(2)
      .replace(',Q5,Q5,', `,${'Q'.repeat(5_000)},Q5,`)
      .replace('3/2024', '30/2024');
    const file = vehicleFile(30)
      .replace(`${vehicleLine(1)}\n`, 'one,two,three\n')
      .replace(vehicleLine(2), long);
    fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, file);
    await fleet.run({ tables: ['vehicles'] });
    const [tooLong, unreadable] = (await unresolved('vehicles')).map(String) as [string, string];
    const first = await replay(unreadable, '--set', 'make=Audi');
    expect(first).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('could not be split into columns'),
    });
    const both = await replay(unreadable, tooLong);
    expect(both).toMatchObject({ code: 2, stdout: expect.stringContaining('longer than 4 kB') });
    expect(both.stdout).toContain('could not be split into columns');
    expect((await replay('999999')).stderr).toContain('There is no quarantined row 999999');
    expect((await replay(tooLong, unreadable, '--set', 'make=Audi')).stderr).toContain('exactly one row');
  });

  test('a row whose key was unreadable comes back from the archive with its own columns', async () => {
    await fleet.run({ tables: ['vehicles'] });
    const [old] = await fleet.rows(`SELECT first_seen_at FROM vehicles WHERE vin = 'VIN0005'`);
    const file = vehicleFile(30).replace(vehicleLine(5), vehicleLine(5).replace('vin0005', ''));
    fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, file);
    await fleet.run({ tables: ['vehicles'] });
    expect(await fleet.rows(`SELECT vin FROM vehicles_archive`)).toEqual([{ vin: 'VIN0005' }]);
    const [id] = await unresolved('vehicles');
    const done = JSON.parse((await replay(String(id), '--set', 'vin=vin0005', '--json')).stdout);
    expect(done.runs[0].tables[0]).toMatchObject({ restored: 1, inserted: 0, archived: 0 });
    expect(await fleet.rows(`SELECT vin FROM vehicles_archive`)).toEqual([]);
    expect(await fleet.rows(`SELECT first_seen_at FROM vehicles WHERE vin = 'VIN0005'`)).toEqual([old]);
  });

  test('a held table is decided on first, and the hold survives', async () => {
    const { id } = await quarantineThird();
    fleet.server.answer(MAKES, '');
    const held = await fleet.run({ tables: ['approved_makes'] });
    expect(held.status).toBe('held');
    const refused = await replay(id, '--set', 'rank=B');
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${held.run_id} of approved_makes waits`),
    });
    const [run] = await fleet.rows(`SELECT status FROM sync_runs WHERE run_id = '${held.run_id}'`);
    expect(run).toEqual({ status: 'held' });
    await decideRun(fleet.client, held.run_id, { decision: 'reject', by: 'test' });
    await decisionDone(fleet.client, held.run_id);
  });

  test('neither the history nor the audit log holds a value', async () => {
    const { id } = await quarantineThird();
    const done = await replay(id, '--set', 'name=Corrected Partner', '--set', 'rank=A', '--json');
    const [{ run_id: runId }] = JSON.parse(done.stdout).runs;
    const [partner] = await fleet.rows(`SELECT name FROM approved_makes WHERE person_id = '3'`);
    expect(partner).toEqual({ name: 'Corrected Partner' });
    const [run] = await fleet.rows(`SELECT kind, workflow_id FROM sync_runs WHERE run_id = '${runId}'`);
    expect(run).toEqual({ kind: 'replay', workflow_id: 'replay/fleet' });
    const history = await fleet.client.workflow.getHandle('replay/fleet', runId).fetchHistory();
    const text = JSON.stringify(history).replaceAll(/"data":"([^"]*)"/g, (_whole, payload: string) =>
      Buffer.from(payload, 'base64').toString(),
    );
    expect(text).toContain('approved_makes');
    expect(text).not.toContain('Corrected Partner');
    const audit = await fleet.rows(
      `SELECT actor, action, detail FROM audit_log WHERE subject = 'quarantine/${id}'`,
    );
    expect(audit).toEqual([
      {
        actor: expect.stringMatching(/^cli:/),
        action: 'correct row',
        detail: { columns: ['name', 'rank'] },
      },
    ]);
  });
});
