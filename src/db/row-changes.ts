import { type RawBuilder, sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import { type LiveTable, liveTableSql } from './live-table.ts';

/*
 * Why so little is kept: what a run inserted carries its id, and what it archived is in the archive as it was. Only
 * what it changed or brought back has to be copied, in the transaction that does so.
 */

/**
 * Copies the live rows that a merge is about to change, and locks them, so that the copy is what is replaced.
 *
 * @param rows those the source shows
 */
export function keepChanged(table: LiveTable, runId: RunId, rows: RawBuilder<unknown>): RawBuilder<unknown> {
  const { sameKey, differs } = liveTableSql(table);
  return keepJoined(table, runId, rows, sql`${sameKey('l', 's')} AND ${differs('s', 'l')}`);
}

/** Copies the live rows that are about to end, because the source has stopped showing them. */
export function keepEnding(
  table: LiveTable,
  runId: RunId,
  rows: RawBuilder<unknown>,
  which: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return keepJoined(table, runId, rows, which);
}

function keepJoined(
  table: LiveTable,
  runId: RunId,
  rows: RawBuilder<unknown>,
  which: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
    INSERT INTO durasync.row_changes (run_id, table_name, change, before)
    SELECT ${runId}::text, ${table.name}::text, 'updated', to_jsonb(l)
    FROM ${liveTableSql(table).live} l JOIN ${rows} s ON ${which}
    FOR NO KEY UPDATE OF l`;
}

/** Copies the archived rows that a statement brings back; `back` names them there. */
export const keepRestored = (
  table: LiveTable,
  runId: RunId,
  back: RawBuilder<unknown>,
): RawBuilder<unknown> =>
  sql`INSERT INTO durasync.row_changes (run_id, table_name, change, before)
      SELECT ${runId}::text, ${table.name}::text, 'restored', to_jsonb(b) FROM ${back} b`;

/**
 * Copies what a source wrote into columns that people own from then on, of the rows that this run has inserted; null
 * when the table has no such columns.
 */
export function keepInserted(
  table: LiveTable,
  runId: RunId,
  rows: RawBuilder<unknown>,
): RawBuilder<unknown> | null {
  if (table.insertOnly.length === 0) return null;
  const { live, sameKey } = liveTableSql(table);
  const values = sql.join(
    [...table.key, ...table.insertOnly].map((column) => sql`${sql.lit(column)}, ${sql.ref(`l.${column}`)}`),
  );
  const written = sql.join(table.insertOnly.map((column) => sql.ref(`l.${column}`)));
  return sql`
    INSERT INTO durasync.row_changes (run_id, table_name, change, before)
    SELECT ${runId}::text, ${table.name}::text, 'inserted', jsonb_build_object(${values})
    FROM ${live} l JOIN ${rows} s ON ${sameKey('l', 's')}
    WHERE l.first_run_id = ${runId} AND num_nonnulls(${written}) > 0`;
}
