import { sql } from 'kysely';
import type { Db } from './connect.ts';
import { type LiveTable, liveTableSql, stagingTable } from './live-table.ts';

/**
 * Settles what becomes of staged rows that share a key: where they are real each gets a number of its own, else only
 * the last one stays.
 *
 * @returns how many valid rows there were, and how many are left
 */
export async function settleEqual(
  db: Db,
  table: LiveTable,
  relation: string,
): Promise<{ readonly rows: number; readonly kept: number }> {
  if (table.ordinal !== null) {
    const rows = await numberEqual(db, table, relation, table.ordinal);
    return { rows, kept: rows };
  }
  const { rows, keys } = await countKeys(db, table, relation);
  if (rows > keys) await dropDuplicates(db, table, relation);
  return { rows, kept: keys };
}

/** Valid rows, and how many of them have a key that no other has or are the last with theirs. */
async function countKeys(
  db: Db,
  table: LiveTable,
  relation: string,
): Promise<{ rows: number; keys: number }> {
  const { list } = liveTableSql(table);
  const { rows } = await sql<{ rows: number; keys: number }>`
    SELECT coalesce(sum(n), 0)::bigint AS rows, count(*) AS keys
    FROM (SELECT count(*) AS n FROM ${stagingTable(relation)} WHERE valid GROUP BY ${list(table.key)}) k`.execute(
    db,
  );
  return rows[0] ?? { rows: 0, keys: 0 };
}

/**
 * Numbers the rows that are equal in all columns of the key but one, in the order of the source. Those that may be
 * equal are found by a hash, which takes a fraction of the memory of their columns; the columns decide.
 *
 * @returns how many valid rows there are
 */
async function numberEqual(db: Db, table: LiveTable, relation: string, ordinal: string): Promise<number> {
  const { list } = liveTableSql(table);
  const rest = table.key.filter((column) => column !== ordinal);
  const hash = sql`hash_record_extended(ROW(${list(rest)}), 0)`;
  await sql`
    UPDATE ${stagingTable(relation)} s SET ${sql.ref(ordinal)} = n.number
    FROM (SELECT ctid AS row, row_number() OVER (PARTITION BY ${list(rest)} ORDER BY position) AS number
          FROM ${stagingTable(relation)}
          WHERE valid AND ${hash} IN (SELECT hash FROM (SELECT ${hash} AS hash FROM ${stagingTable(relation)}
                                                        WHERE valid) h GROUP BY hash HAVING count(*) > 1)) n
    WHERE s.ctid = n.row AND n.number > 1`.execute(db);
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) FROM ${stagingTable(relation)} WHERE valid`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Keeps the last of the rows that share a key. */
async function dropDuplicates(db: Db, table: LiveTable, relation: string): Promise<void> {
  const { list, sameKey } = liveTableSql(table);
  await sql`
    DELETE FROM ${stagingTable(relation)} s
    USING (SELECT ${list(table.key)}, max(position) AS last FROM ${stagingTable(relation)}
           WHERE valid GROUP BY ${list(table.key)} HAVING count(*) > 1) d
    WHERE s.valid AND s.position < d.last AND ${sameKey('s', 'd')}`.execute(db);
}
