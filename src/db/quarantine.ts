import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { LiveTable } from './live-table.ts';

/** A row that could not be taken, as it is kept for people. */
export interface QuarantinedRow {
  readonly position: number;
  readonly raw: string;
  readonly reasons: readonly string[];
  readonly unreadable: boolean;
  /** Values by column name as the source gave them; null for an unreadable row. */
  readonly values: Readonly<Record<string, unknown>> | null;
  /** The row's number, when it is in quarantine already and a replay has found new reasons. */
  readonly id?: number;
}

const KEPT_ROWS_MAX = 10_000;
const RAW_BYTES_MAX = 4_096;
const VALUES_BYTES_MAX = 4_096;

/**
 * Keeps the first 10,000 rows of a table and run; later ones are only counted by the caller. A row that is in
 * quarantine already gets its new reasons instead.
 */
export async function insertQuarantined(
  client: pg.PoolClient,
  runId: RunId,
  table: LiveTable,
  rows: readonly QuarantinedRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const json = JSON.stringify(rows.map(storable));
  if (rows[0]?.id !== undefined) {
    await client.query(
      `UPDATE durasync.quarantined_rows q SET reasons = r.reasons, replay_run_id = NULL
       FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, reasons jsonb) WHERE q.id = r.id AND q.resolved_at IS NULL`,
      [json],
    );
    return;
  }
  await client.query(
    `INSERT INTO durasync.quarantined_rows
       (run_id, sync, table_name, position, raw, reasons, unreadable, "values")
     SELECT $1, $2, $3, r.position, r.raw, r.reasons, r.unreadable, r."values"
     FROM jsonb_to_recordset($4::jsonb)
       AS r(position bigint, raw text, reasons jsonb, unreadable boolean, "values" jsonb)
     LIMIT greatest(0, $5 - (SELECT count(*) FROM durasync.quarantined_rows WHERE run_id = $1 AND table_name = $3))`,
    [runId, table.sync, table.name, json, KEPT_ROWS_MAX],
  );
}

/** What PostgreSQL can store: a NUL byte shows as its symbol, and a long row is cut. */
function storable(row: QuarantinedRow): QuarantinedRow {
  const cut = (text: string): string =>
    Buffer.from(text.replaceAll('\0', '␀')).subarray(0, RAW_BYTES_MAX).toString();
  return { ...row, raw: cut(row.raw), reasons: row.reasons.map(cut), values: storableValues(row.values) };
}

/** NUL and half a character in JSON text, which jsonb refuses. */
const REFUSED_BY_JSONB = /\\u(0000|d[89a-f])/;

/** The values, or null when they are too long or can't be stored: values that were cut must not be replayed. */
export function storableValues(values: QuarantinedRow['values']): QuarantinedRow['values'] {
  const json = JSON.stringify(values);
  return Buffer.byteLength(json) <= VALUES_BYTES_MAX && !REFUSED_BY_JSONB.test(json) ? values : null;
}

/**
 * True when every unreadable line of this run was already unreadable in the last complete run of the table, as
 * often as now: the live rows it stands for, if any, were spared then and nothing is new now.
 *
 * @param unreadable how many there are; false when more than could be kept, because those can't be compared
 */
export async function unreadableLinesAreKnown(
  db: Db,
  runId: RunId,
  sync: string,
  table: string,
  unreadable: number,
): Promise<boolean> {
  const linesOf = (run: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    SELECT raw FROM durasync.quarantined_rows WHERE run_id = ${run} AND table_name = ${table} AND unreadable`;
  const previous = sql`(
    SELECT t.run_id FROM durasync.sync_run_tables t JOIN durasync.sync_runs r USING (run_id)
    WHERE r.sync = ${sync} AND r.kind = 'sync' AND t.table_name = ${table} AND t.status = 'completed'
      AND t.run_id <> ${runId}
    ORDER BY r.started_at DESC LIMIT 1)`;
  const { rows } = await sql<{ kept: number; fresh: number }>`
    SELECT (SELECT count(*) FROM (${linesOf(sql`${runId}`)}) now) AS kept,
           (SELECT count(*) FROM (${linesOf(sql`${runId}`)} EXCEPT ALL ${linesOf(previous)}) new) AS fresh`.execute(
    db,
  );
  return rows[0]?.kept === unreadable && rows[0].fresh === 0;
}
