import { sql } from 'kysely';
import type { RemovedByAge } from '../domain/backups.ts';
import type { Db } from './connect.ts';
import { deleteInBatches } from './delete-in-batches.ts';

export interface RetentionDays {
  /** Of quarantined rows, tables of runs, before-images, notifications and uploads. */
  readonly details: number;
  /** Of runs and results themselves. */
  readonly history: number;
}

/**
 * Removes what is past its age, in batches: quarantined rows, the tables and before-images of runs, notifications,
 * uploads, and after a longer time the runs. Runs that are open, and those whose rows are live now, keep everything. Safe to repeat.
 */
export async function removeOldRows(
  db: Db,
  days: RetentionDays,
  signal?: AbortSignal,
): Promise<RemovedByAge> {
  const before = (age: number) => sql`now() - make_interval(days => ${age})`;
  // The next run compares itself with these, and undo begins with them.
  const needed = sql`status IN ('running', 'held')
    OR run_id IN (SELECT merged_run_id FROM durasync.table_state WHERE merged_run_id IS NOT NULL)
    OR run_id IN (SELECT run_id FROM durasync.watermarks)`;
  const old = (age: number) => sql`started_at < ${before(age)} AND NOT (${needed})`;
  const ofOldRuns = sql`run_id IN (SELECT run_id FROM durasync.sync_runs WHERE ${old(days.details)})`;
  const steps = [
    [
      'quarantined_rows',
      'durasync.quarantined_rows',
      sql`created_at < ${before(days.details)} AND ${ofOldRuns}`,
    ],
    ['run_tables', 'durasync.sync_run_tables', ofOldRuns],
    ['row_changes', 'durasync.row_changes', ofOldRuns],
    ['watermark_changes', 'durasync.watermark_changes', ofOldRuns],
    [
      'notifications',
      'durasync.notifications',
      sql`created_at < ${before(days.details)} AND dispatched_at IS NOT NULL
      AND id NOT IN (SELECT notification_id FROM durasync.notification_deliveries WHERE status = 'pending')`,
    ],
    ['sessions', 'durasync.sessions', sql`expires_at < now()`],
    ['uploads', 'durasync.uploads', sql`uploaded_at < ${before(days.details)}`],
    ['client_results', 'commerce.client_api_sync_results', sql`started_at < ${before(days.history)}`],
    ['cars_log', 'cars.cars_sync_log', sql`started_at < ${before(days.history)}`],
    ['runs', 'durasync.sync_runs', old(days.history)],
  ] as const;
  const removed: Record<string, number> = {};
  for (const [what, table, which] of steps) {
    removed[what] = await deleteInBatches(db, table, which, signal);
  }
  return removed;
}
