import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { LiveTable } from './live-table.ts';
import type { DaysOfRun } from './table-state.ts';

/**
 * Runs that wait for a decision about this table; what they would merge is no longer the newest. A replay
 * completes an older snapshot than theirs, so it has none.
 *
 * @param days of the run that has merged, in a table whose runs show whole days: a hold of other days goes on waiting
 */
export async function otherHolds(
  client: pg.PoolClient,
  runId: RunId,
  table: LiveTable,
  days: DaysOfRun | null,
): Promise<RunId[]> {
  const { rows } = await client.query<{ run_id: RunId }>(
    `SELECT t.run_id FROM durasync.sync_run_tables t JOIN durasync.sync_runs r USING (run_id)
     WHERE r.sync = $1 AND coalesce(r.scope, '') = $4 AND t.table_name = $2 AND t.status = 'held' AND r.status = 'held' AND t.run_id <> $3
       AND (SELECT kind FROM durasync.sync_runs WHERE run_id = $3) <> 'replay'
       AND ($5::date IS NULL OR (r.window_start < $6::date AND r.window_end > $5::date))`,
    [table.sync, table.name, runId, table.scope, days?.from ?? null, days?.to ?? null],
  );
  return rows.map((row) => row.run_id);
}
