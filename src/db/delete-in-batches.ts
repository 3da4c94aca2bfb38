import { type RawBuilder, sql } from 'kysely';
import type { Db } from './connect.ts';

/** Rows that one statement deletes, so that none holds locks or grows the log for long. */
const BATCH_ROWS = 5_000;

/** Deletes the rows of a table that meet a condition, in batches. Returns how many. Safe to repeat. */
export async function deleteInBatches(
  db: Db,
  table: string,
  which: RawBuilder<unknown>,
  signal?: AbortSignal,
): Promise<number> {
  for (let deleted = 0; ;) {
    signal?.throwIfAborted();
    // A place names a row of one table only; a client's data is in one partition, to which the condition leads.
    const { numAffectedRows = 0n } = await sql`
      DELETE FROM ${sql.table(table)} WHERE ${which} AND ctid = ANY(ARRAY(
        SELECT ctid FROM ${sql.table(table)} WHERE ${which} LIMIT ${BATCH_ROWS}))`.execute(db);
    deleted += Number(numAffectedRows);
    if (numAffectedRows === 0n) return deleted;
  }
}
