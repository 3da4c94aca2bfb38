import { sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { LiveTable } from './live-table.ts';

/** Up to when a source has been fully merged (ISO), or null before the first time. */
export async function readWatermark(db: Db, { sync, scope, name }: LiveTable): Promise<string | null> {
  const row = await db
    .selectFrom('durasync.watermarks')
    .select('value')
    .where('sync', '=', sync)
    .where('scope', '=', scope)
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.value ?? null;
}

/**
 * Moves a watermark forward; one that is further already stays. Only a run that syncs moves it: a preview, a replay
 * and a backfill read something else than what is new. Safe to repeat.
 */
export async function moveWatermark(db: Db, runId: RunId, table: LiveTable, value: string): Promise<void> {
  await sql`
    INSERT INTO durasync.watermarks AS w (sync, scope, name, value, run_id)
    SELECT ${table.sync}, ${table.scope}, ${table.name}, ${value}, run_id
    FROM durasync.sync_runs WHERE run_id = ${runId} AND kind = 'sync' AND trigger <> 'backfill'
    ON CONFLICT (sync, scope, name) DO UPDATE
    SET value = excluded.value, run_id = excluded.run_id, updated_at = clock_timestamp()
    WHERE w.value < excluded.value`.execute(db);
}
