import { sql, type RawBuilder } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { ShownBy } from './shown-by.ts';

/** How rows end that have a state of their own: they stay a while for people to see, then move to the archive. */
export interface Lifecycle {
  /** The column with the state. */
  readonly state: string;
  /** The column with the instant at which the state last changed. The loader keeps it, not the source. */
  readonly changedAt: string;
  /** States in which a row has ended: the source need not show it any more. */
  readonly ended: readonly string[];
  /** The state, one of the ended ones, of a row that the source has stopped showing. */
  readonly missing: string;
  /** The states in which a row comes back from the archive; in any other it stays there. */
  readonly returns: readonly string[];
}

/** A live table as the loader sees it. All names come from a definition, never from input. */
export interface LiveTable {
  readonly sync: string;
  /** What the run is for within the sync; '' when the sync is one whole. */
  readonly scope: string;
  readonly schema: string;
  /** Its name in runs and reports. */
  readonly name: string;
  /** The table that is written; several may share one. */
  readonly live: string;
  readonly key: readonly string[];
  /** The columns the source writes, keys among them, in staging order. */
  readonly columns: readonly string[];
  /** The columns that tell whether a row has changed: all but the key, or a hash of them. */
  readonly compared: readonly string[];
  /** A column that orders the versions of a row; an older version never replaces a newer one. */
  readonly version: string | null;
  /** Each run shows only some of the rows; null when it shows all. */
  readonly incremental: 'whole' | 'parts' | null;
  /** What merging does with a row that is live already. */
  readonly existing: 'update' | 'skip';
  /** Columns that are written when a row is inserted, and never again. */
  readonly insertOnly: readonly string[];
  /** A table of the schema whose rows are done with: none of them is created again. */
  readonly settledIn: string | null;
  /** Of two readings the later one is the newer truth. */
  readonly ordered: boolean;
  /** The version of each row decides which of two readings is the newer truth about it. */
  readonly rowwise: boolean;
  /** Null for rows that are there until the source stops showing them. */
  readonly lifecycle: Lifecycle | null;
  /** The column of the key that numbers rows which are equal in the rest of it; null when equal rows are one row. */
  readonly ordinal: string | null;
  /** The column with a row's day, when runs show whole days; else null. */
  readonly day: string | null;
  /** Null when the table has one source alone. */
  readonly shownBy: ShownBy | null;
  /** Its rows may move to an archive. */
  readonly archivable: boolean;
  /** The columns that steps fill; null when there are none. All that neither a source nor a step fills is people's. */
  readonly derived: Derived | null;
}

/** Columns that enrich and derive steps fill. */
export interface Derived {
  readonly columns: readonly string[];
  /** Where this column holds this value, a person has filled these, and no step touches them. */
  readonly unless?: { readonly column: string; readonly is: string; readonly columns: readonly string[] };
}

/** SQL fragments for one live table; every identifier is quoted. */
export function liveTableSql(table: LiveTable) {
  const list = (columns: readonly string[], prefix?: string): RawBuilder<unknown> =>
    sql.join(columns.map((column) => (prefix ? sql.ref(`${prefix}.${column}`) : sql.ref(column))));
  const sameKey = (left: string, right: string): RawBuilder<boolean> =>
    sql<boolean>`${sql.join(
      table.key.map((column) => sql`${sql.ref(`${left}.${column}`)} = ${sql.ref(`${right}.${column}`)}`),
      sql` AND `,
    )}`;
  const differs = (source: string, live: string): RawBuilder<boolean> => {
    if (table.compared.length === 0) return sql<boolean>`false`;
    const other = sql`(${list(table.compared, source)}) IS DISTINCT FROM (${list(table.compared, live)})`;
    if (table.version === null) return sql<boolean>`${other}`;
    const [given, kept] = [sql.ref(`${source}.${table.version}`), sql.ref(`${live}.${table.version}`)];
    return sql<boolean>`(${other} AND (${kept} IS NULL OR ${given} >= ${kept}))`;
  };
  const settled = (source: string): RawBuilder<boolean> =>
    table.settledIn === null
      ? sql<boolean>`false`
      : sql<boolean>`EXISTS (SELECT FROM ${sql.table(`${table.schema}.${table.settledIn}`)} done
                             WHERE ${sameKey('done', source)})`;
  const isLive = (live: string): RawBuilder<boolean> =>
    sql<boolean>`${sql.ref(`${live}.${table.key[0]}`)} IS NOT NULL`;
  return {
    live: sql.table(`${table.schema}.${table.live}`),
    archive: sql.table(`${table.schema}.${table.live}_archive`),
    list,
    /** `left.key = right.key AND …` */
    sameKey,
    /** True when what the source says differs from what is live, and is not an older version of it. */
    differs,
    /** True when a row of the source is done with. */
    settled,
    /** True when merging would write a row; both sides of a LEFT JOIN on the key. */
    writes: (source: string, live: string): RawBuilder<boolean> =>
      sql<boolean>`CASE WHEN ${isLive(live)} THEN ${table.existing === 'skip' ? sql`false` : differs(source, live)}
                        ELSE NOT ${settled(source)} END`,
  };
}

/** Whether the column of a state holds one of these, which come from a definition and never from input. */
export const stateIn = (column: string, states: readonly string[]): RawBuilder<boolean> =>
  // Literals, because CREATE TABLE AS takes no parameters.
  sql<boolean>`${sql.ref(column)} IN (${sql.join(states.map((state) => sql.lit(state)))})`;

/** The columns of the source that a merge may change in a row that is there. */
export function content({ columns, key, insertOnly }: LiveTable): readonly string[] {
  return columns.filter((column) => !key.includes(column) && !insertOnly.includes(column));
}

/** A relation of the staging schema. */
export const stagingTable = (relation: string): RawBuilder<unknown> =>
  sql.table(`durasync_staging.${relation}`);

/** The relation with what a run has staged of a table; null until all of it is, and when it is gone. */
export async function readStagedRelation(db: Db, runId: RunId, table: string): Promise<string | null> {
  const row = await db
    .selectFrom('durasync.staging_progress')
    .select('relation')
    .where('run_id', '=', runId)
    .where('table_name', '=', table)
    .where('result', 'is not', null)
    .executeTakeFirst();
  return row?.relation ?? null;
}

/** A row when what a run staged of a table is still known: a crash of the database empties staging and its progress together. */
export const stillStaged = (runId: RunId, table: LiveTable, relation: string): RawBuilder<unknown> =>
  sql`SELECT FROM durasync.staging_progress
      WHERE run_id = ${runId} AND table_name = ${table.name} AND relation = ${relation}`;

/** Whether a relation of the staging schema is still there. */
export async function relationExists(client: pg.PoolClient, relation: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_tables WHERE schemaname = 'durasync_staging' AND tablename = $1`,
    [relation],
  );
  return rowCount === 1;
}

/** All columns of a live table, its own and those of the source. */
export async function liveColumns(client: pg.PoolClient, table: LiveTable): Promise<string[]> {
  const { rows } = await client.query<{ column_name: string }>(
    `SELECT column_name FROM information_schema.columns
     WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
    [table.schema, table.live],
  );
  return rows.map((row) => row.column_name);
}
