import type pg from 'pg';
import type { RunId } from '../../src/domain/ids.ts';

const LIVE = ['vehicles', 'media_partners', 'loan_history', 'current_activity', 'approved_makes'];
const TIMES = ['first_seen_at', 'updated_at', 'archived_at', 'geocoded_at'];
const RUN_IDS = ['first_run_id', 'last_run_id', 'archived_run_id'];

/** Everything that a run leaves behind, apart from times; run ids say only whether it was this run. */
export async function runOutcome(pool: pg.Pool, runId: RunId): Promise<Record<string, unknown>> {
  const outcome: Record<string, unknown> = {};
  for (const table of LIVE.flatMap((name) => [name, `${name}_archive`])) {
    const { rows } = await pool.query<Record<string, unknown>>(`SELECT * FROM fleet.${table} ORDER BY 1, 2`);
    outcome[table] = rows.map((row) => JSON.stringify(withoutTimes(row, runId))).sort();
  }
  const queries = {
    run: `SELECT status, error_message, total_tables, success_count, failure_count, total_rows_processed,
                 completed_at IS NOT NULL AS ended FROM durasync.sync_runs WHERE run_id = $1`,
    tables: `SELECT table_name, status, stage, fetched, staged, quarantined, duplicates, inserted, updated, unchanged,
                    skipped, archived, restored, merged_generation, archived_generation, error_message
             FROM durasync.sync_run_tables WHERE run_id = $1 ORDER BY table_name`,
    quarantine: `SELECT table_name, position, raw, reasons FROM durasync.quarantined_rows
                 WHERE run_id = $1 ORDER BY table_name, position`,
    states: `SELECT table_name, generation, merged_run_id = $1 AS here FROM durasync.table_state ORDER BY table_name`,
    staging: `SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'
              UNION ALL SELECT table_name FROM durasync.staging_progress WHERE run_id = $1`,
  };
  for (const [name, query] of Object.entries(queries)) {
    // Every query names the run, also where it does not need it.
    const text = query.includes('$1') ? query : `${query} -- $1`;
    outcome[name] = (await pool.query(text, [runId])).rows;
  }
  return outcome;
}

function withoutTimes(row: Record<string, unknown>, runId: RunId): Record<string, unknown> {
  const kept = Object.entries(row).filter(([column]) => !TIMES.includes(column));
  return Object.fromEntries(
    kept.map(([column, value]) => [column, RUN_IDS.includes(column) ? value === runId : value]),
  );
}
