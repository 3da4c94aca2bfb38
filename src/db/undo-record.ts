import type pg from 'pg';
import type { TakeBackInput, UndoPreview, UndoTable } from '../domain/undo.ts';

/**
 * Records in the undo's transaction how it ended, in its own run and in the audit log; once it has taken back the
 * rows, also moves the watermarks back and marks the run as undone.
 *
 * @returns how many rows were taken back
 */
export async function recordUndo(
  client: pg.PoolClient,
  input: TakeBackInput,
  preview: UndoPreview,
  outcome: 'undone' | 'refused',
): Promise<number> {
  const { runId, of, by, reason } = input;
  const rows = preview.tables.reduce((sum, table) => sum + rowsOf(table), 0);
  await client.query(`UPDATE durasync.sync_runs SET metadata = metadata || $2 WHERE run_id = $1`, [
    runId,
    { undo: { of, outcome, reason, ...preview } },
  ]);
  if (outcome === 'refused') return 0;
  for (const table of preview.tables) {
    await client.query(
      `INSERT INTO durasync.sync_run_tables
         (run_id, table_name, status, staged, updated, restored, archived, started_at, completed_at)
       VALUES ($1, $2, 'completed', $3, $4, $5, $6, now(), clock_timestamp())
       ON CONFLICT (run_id, table_name) DO NOTHING`,
      [runId, table.table, rowsOf(table), table.put_back, table.unarchived, table.archived_again],
    );
  }
  await showSnapshotBefore(client, input);
  await moveWatermarksBack(client, input);
  await client.query(
    `UPDATE durasync.quarantined_rows SET resolved_at = NULL, replay_run_id = NULL WHERE replay_run_id = $1`,
    [of],
  );
  await client.query(
    `UPDATE durasync.sync_runs SET status = 'undone', metadata = metadata || $2 WHERE run_id = $1`,
    [of, { undone_by: runId, undone_rows: rows }],
  );
  await client.query(
    `INSERT INTO durasync.audit_log (actor, action, subject, detail) VALUES ($1, 'undo', $2, $3)`,
    [by, of, { reason, runId, rows }],
  );
  return rows;
}

const rowsOf = (table: UndoTable): number =>
  table.removed + table.put_back + table.unarchived + table.archived_again;

/** The live tables show again what the run before had merged; later runs no longer have this one before them. */
async function showSnapshotBefore(client: pg.PoolClient, { of }: TakeBackInput): Promise<void> {
  await client.query(
    `UPDATE durasync.table_state s SET merged_run_id = t.before_run_id, source_fetched_at = t.before_fetched_at
     FROM durasync.sync_run_tables t JOIN durasync.sync_runs r USING (run_id)
     WHERE t.run_id = $1 AND t.merged_generation IS NOT NULL AND s.merged_run_id = $1
       AND s.sync = r.sync AND s.scope = coalesce(r.scope, '') AND s.table_name = t.table_name`,
    [of],
  );
  await client.query(
    `UPDATE durasync.sync_run_tables l SET before_run_id = t.before_run_id, before_fetched_at = t.before_fetched_at
     FROM durasync.sync_run_tables t
     WHERE t.run_id = $1 AND l.before_run_id = $1 AND l.table_name = t.table_name`,
    [of],
  );
}

async function moveWatermarksBack(client: pg.PoolClient, { of }: TakeBackInput): Promise<void> {
  await client.query(
    `DELETE FROM durasync.watermarks w USING durasync.watermark_changes c
     WHERE c.run_id = $1 AND c.before_value IS NULL AND (w.sync, w.scope, w.name) = (c.sync, c.scope, c.name)`,
    [of],
  );
  await client.query(
    `UPDATE durasync.watermarks w SET value = c.before_value, run_id = c.before_run_id, updated_at = clock_timestamp()
     FROM durasync.watermark_changes c
     WHERE c.run_id = $1 AND c.before_value < w.value AND (w.sync, w.scope, w.name) = (c.sync, c.scope, c.name)`,
    [of],
  );
}
