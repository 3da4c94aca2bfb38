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
  const { rows, keys } = await countKeys(db, table, relation);
  if (rows === keys) return { rows, kept: rows };
  if (table.ordinal === null) {
    await dropDuplicates(db, table, relation);
    return { rows, kept: keys };
  }
  await numberEqual(db, table, relation, table.ordinal);
  return { rows, kept: rows };
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

/** Numbers the rows that are equal in all columns of the key but one, in the order of the source. */
async function numberEqual(db: Db, table: LiveTable, relation: string, ordinal: string): Promise<void> {
  const { list, sameKey } = liveTableSql(table);
  const rest = table.key.filter((column) => column !== ordinal);
  await sql`
    UPDATE ${stagingTable(relation)} s SET ${sql.ref(ordinal)} = n.number
    FROM (SELECT e.ctid AS row, row_number() OVER (PARTITION BY ${list(rest, 'e')} ORDER BY e.position) AS number
          FROM ${stagingTable(relation)} e
          JOIN (SELECT ${list(table.key)} FROM ${stagingTable(relation)}
                WHERE valid GROUP BY ${list(table.key)} HAVING count(*) > 1) d ON ${sameKey('e', 'd')}
          WHERE e.valid) n
    WHERE s.ctid = n.row AND n.number > 1`.execute(db);
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
