import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import { type LiveTable, liveTableSql, stagingTable } from './live-table.ts';

/** In a live table that several sources feed, each row keeps which of them show it; the last one to withdraw it takes it away. */
export interface ShownBy {
  /** The column (text[]) with the names of the sources. */
  readonly column: string;
  /** What the table's own source, and the files that people upload, are called there. */
  readonly source: string;
  readonly upload: string;
}

/** What the source of a run's rows is called; null in a table that has only one. */
export async function sourceOfRun(
  client: pg.PoolClient,
  { shownBy }: LiveTable,
  runId: RunId,
): Promise<string | null> {
  if (!shownBy) return null;
  const { rows } = await client.query(
    `SELECT FROM durasync.sync_runs WHERE run_id = $1 AND kind = 'import'`,
    [runId],
  );
  return rows.length > 0 ? shownBy.upload : shownBy.source;
}

/** Whether a live row is shown by the table's own source; true in a table that has only one. */
export const isShown = ({ shownBy }: LiveTable, live: string): RawBuilder<boolean> =>
  shownBy
    ? sql<boolean>`${sql.lit(shownBy.source)} = ANY (${sql.ref(`${live}.${shownBy.column}`)})`
    : sql<boolean>`true`;

/** Whether the table's own source is the only one that shows a live row; true in a table that has only one. */
export const isLastShown = ({ shownBy }: LiveTable, live: string): RawBuilder<boolean> =>
  shownBy
    ? sql<boolean>`${sql.ref(`${live}.${shownBy.column}`)} <@ ARRAY[${sql.lit(shownBy.source)}]`
    : sql<boolean>`true`;

/** Adds a source to the rows that it shows and that were live before. Their content is as it was. Safe to repeat. */
export async function recordShown(
  client: pg.PoolClient,
  db: Db,
  table: LiveTable,
  { relation, source }: { readonly relation: string; readonly source: string },
): Promise<void> {
  if (!table.shownBy) return;
  const { live, sameKey } = liveTableSql(table);
  const sources = sql.ref(`l.${table.shownBy.column}`);
  await run(
    client,
    db,
    sql`UPDATE ${live} l SET ${sql.ref(table.shownBy.column)} = array_append(${sources}, ${source}::text)
        FROM ${stagingTable(relation)} s
        WHERE s.valid AND ${sameKey('l', 's')} AND NOT ${source}::text = ANY (${sources})`,
  );
}

/** Takes the table's own source away from missing rows that another source still shows. */
export async function withdrawShown(
  client: pg.PoolClient,
  db: Db,
  table: LiveTable,
  relation: string,
): Promise<void> {
  if (!table.shownBy) return;
  const { live, sameKey } = liveTableSql(table);
  const sources = sql.ref(`l.${table.shownBy.column}`);
  await run(
    client,
    db,
    sql`UPDATE ${live} l SET ${sql.ref(table.shownBy.column)} = array_remove(${sources}, ${table.shownBy.source}::text)
        FROM ${stagingTable(relation)} s
        WHERE s.action = 'missing' AND ${sameKey('l', 's')} AND cardinality(${sources}) > 1`,
  );
}

async function run(client: pg.PoolClient, db: Db, statement: RawBuilder<unknown>): Promise<void> {
  const { sql: text, parameters } = statement.compile(db);
  await client.query(text, [...parameters]);
}
