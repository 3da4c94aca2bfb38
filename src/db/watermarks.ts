import { type RawBuilder, sql } from 'kysely';
import type { Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { LiveTable } from './live-table.ts';

/** The name of the watermark of one part of a source, such as one location of a report. */
const partName = (table: LiveTable, part: string): string => `${table.name}/${part}`;

/** Up to which day each part of a source has been merged, by the part's name. */
export async function readMarks(db: Db, table: LiveTable): Promise<Record<string, string>> {
  const prefix = partName(table, '');
  const rows = await db
    .selectFrom('durasync.watermarks')
    .select(['name', 'value'])
    .where('sync', '=', table.sync)
    .where('scope', '=', table.scope)
    .where(sql<boolean>`starts_with(name, ${prefix})`)
    .execute();
  return Object.fromEntries(rows.map(({ name, value }) => [name.slice(prefix.length), value]));
}

/**
 * Moves the watermarks of what was merged forward: that of the whole source, or that of each part that was read.
 * One that is further already stays, and where they stood before is kept for an undo. Only a run that syncs moves them: a preview, a replay and a backfill read
 * something else than what is new. Safe to repeat.
 */
export async function moveWatermarks(
  db: Db,
  runId: RunId,
  table: LiveTable,
  staged: Pick<Staged, 'sourceFetchedAt' | 'marks'>,
): Promise<void> {
  if (Object.keys(marksOf(table, staged)).length === 0) return;
  await sql`WITH ${watermarkMoves(runId, table, staged)} SELECT`.execute(db);
}

/** What a source has been read up to: all of it, or each part that was read. */
function marksOf(
  table: LiveTable,
  { sourceFetchedAt, marks = {} }: Pick<Staged, 'sourceFetchedAt' | 'marks'>,
): Readonly<Record<string, string>> {
  switch (table.incremental) {
    case 'whole':
      return { [table.name]: sourceFetchedAt };
    case 'parts':
      return Object.fromEntries(Object.entries(marks).map(([part, day]) => [partName(table, part), day]));
    case null:
      return {};
  }
}

/**
 * What `moveWatermarks` does as common table expressions, for a statement that does more than that.
 *
 * @param when tells whether any of them moves
 */
export function watermarkMoves(
  runId: RunId,
  table: LiveTable,
  staged: Pick<Staged, 'sourceFetchedAt' | 'marks'>,
  when: RawBuilder<boolean> = sql`true`,
): RawBuilder<unknown> {
  const { sync, scope } = table;
  return sql`given AS (
      SELECT m.key AS name, m.value
      FROM jsonb_each_text(${JSON.stringify(marksOf(table, staged))}::jsonb) m, durasync.sync_runs r
      WHERE r.run_id = ${runId} AND r.kind = 'sync' AND r.trigger <> 'backfill' AND ${when}
    ), before AS (
      SELECT name, value, run_id FROM durasync.watermarks
      WHERE sync = ${sync} AND scope = ${scope} AND name IN (SELECT name FROM given)
    ), moved AS (
      INSERT INTO durasync.watermarks AS w (sync, scope, name, value, run_id)
      SELECT ${sync}, ${scope}, name, value, ${runId} FROM given
      ON CONFLICT (sync, scope, name) DO UPDATE
      SET value = excluded.value, run_id = excluded.run_id, updated_at = clock_timestamp()
      WHERE w.value < excluded.value
      RETURNING name
    ), noted AS (
      INSERT INTO durasync.watermark_changes (run_id, sync, scope, name, before_value, before_run_id)
      SELECT ${runId}, ${sync}, ${scope}, moved.name, before.value, before.run_id
      FROM moved LEFT JOIN before USING (name)
      ON CONFLICT DO NOTHING
    )`;
}
