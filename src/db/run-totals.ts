import { sql } from 'kysely';
import type { RunResult } from '../domain/run-result.ts';
import type { Db } from './connect.ts';

/** The bounds of the buckets that durations are counted in, in seconds. */
export const DURATION_BOUNDS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400] as const;

/**
 * Adds a run that has just ended to the totals. Call it once, in the transaction that ends the run, and last there: runs
 * of the same sync that end at the same time wait for each other here.
 */
export async function countRun(
  tx: Db,
  { run_id: runId, sync, status, duration_seconds }: RunResult,
): Promise<void> {
  const seconds = duration_seconds ?? 0;
  const buckets = DURATION_BOUNDS.map((bound) => (seconds <= bound ? 1 : 0));
  await sql`
    WITH counted AS (
      INSERT INTO durasync.row_totals AS total (sync, table_name, outcome, rows)
      SELECT ${sync}, t.table_name, o.outcome, o.rows FROM durasync.sync_run_tables t,
        LATERAL (VALUES ('fetched', t.fetched), ('inserted', t.inserted), ('updated', t.updated),
                        ('unchanged', t.unchanged), ('archived', t.archived), ('restored', t.restored),
                        ('skipped', t.skipped), ('quarantined', t.quarantined)) o (outcome, rows)
      WHERE t.run_id = ${runId} AND o.rows > 0
      ORDER BY t.table_name, o.outcome
      ON CONFLICT (sync, table_name, outcome) DO UPDATE SET rows = total.rows + excluded.rows
    )
    INSERT INTO durasync.run_totals AS total (sync, outcome, runs, seconds, buckets, last_ended_at)
    VALUES (${sync}, ${status}, 1, ${seconds}, ${buckets}::bigint[], clock_timestamp())
    ON CONFLICT (sync, outcome) DO UPDATE SET
      runs = total.runs + 1, seconds = total.seconds + excluded.seconds, last_ended_at = excluded.last_ended_at,
      buckets = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0)
                      FROM unnest(total.buckets, excluded.buckets) WITH ORDINALITY u (a, b, n) ORDER BY n)`.execute(
    tx,
  );
}
