import { sql } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { CheckedTable } from './undo-check.ts';
import { runOn, type UndoneTable, undoSql } from './undo-tables.ts';

/** A row was changed between the check and the write. Whoever undoes begins again and finds it. */
export class ChangedMeanwhileError extends Error {}

/**
 * Takes back what a run wrote into one live table. Each statement asks again whether a row is as the run left it, so
 * that nobody's change is lost.
 *
 * @throws ChangedMeanwhileError when one is not; nothing may be committed then
 */
export async function takeBackTable(
  client: pg.PoolClient,
  db: Db,
  undone: UndoneTable,
  checked: CheckedTable,
  of: RunId,
): Promise<void> {
  const { archiveColumns } = undone;
  const { live, archive, columns, images, sameKey, changedSince, changedSinceInserted, list } = undoSql(
    undone,
    of,
  );
  const exactly = async (rows: number, statement: ReturnType<typeof sql>): Promise<void> => {
    const { rowCount } = await runOn(client, db, statement);
    if (rowCount !== rows) throw new ChangedMeanwhileError(undone.table.live);
  };
  if (archiveColumns) {
    await exactly(
      checked.unarchived,
      sql`WITH back AS (DELETE FROM ${archive} WHERE archived_run_id = ${of} AND first_run_id IS DISTINCT FROM ${of}
                        RETURNING *)
          INSERT INTO ${live} (${columns}) SELECT ${columns} FROM back ON CONFLICT DO NOTHING`,
    );
  }
  const written = undone.columns.filter((column) => !undone.table.key.includes(column));
  await exactly(
    checked.put_back,
    sql`UPDATE ${live} l SET (${list(written)}) = (SELECT ${list(written, 'r')} FROM jsonb_populate_record(l, b.before) r)
        FROM ${images('updated')} b
        WHERE ${sameKey('l', 'b')} AND l.last_run_id = ${of} AND ${changedSince} IS NULL`,
  );
  if (archiveColumns) {
    const names = list(archiveColumns);
    await exactly(
      checked.archived_again,
      sql`WITH gone AS (
            DELETE FROM ${live} l USING ${images('restored')} b
            WHERE ${sameKey('l', 'b')} AND (l.last_run_id = ${of} OR l.last_run_id IS NOT DISTINCT FROM b.last_run_id)
              AND ${changedSince} IS NULL
            RETURNING b.before)
          INSERT INTO ${archive} (${names})
          SELECT ${list(archiveColumns, 'r')} FROM gone, jsonb_populate_record(NULL::${archive}, gone.before) r`,
    );
  }
  // Of rows that the run inserted and archived itself nothing is left to bring back.
  const { rowCount: inArchive } = archiveColumns
    ? await runOn(
        client,
        db,
        sql`DELETE FROM ${archive} WHERE first_run_id = ${of} AND archived_run_id = ${of}`,
      )
    : { rowCount: 0 };
  const asItCame = sql`l.first_run_id = ${of} AND l.last_run_id = ${of} AND ${changedSinceInserted} IS NULL`;
  await exactly(
    checked.removed - (inArchive ?? 0),
    undone.table.insertOnly.length === 0
      ? sql`DELETE FROM ${live} l WHERE ${asItCame}`
      : sql`DELETE FROM ${live} d USING (
              SELECT l.ctid AS place, l.tableoid AS part
              FROM ${live} l LEFT JOIN ${images('inserted')} b ON ${sameKey('l', 'b')}
              WHERE ${asItCame} FOR UPDATE OF l) g
            WHERE d.ctid = g.place AND d.tableoid = g.part`,
  );
}
