import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import { SyncFailure } from '../domain/failures.ts';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import { type Derived, type LiveTable, liveColumns, liveTableSql } from './live-table.ts';

/** One live table that a run wrote, by one or several of the run's tables. */
export interface UndoneTable {
  /** Any of its tables: they share the live table and its key. */
  readonly table: LiveTable;
  /** The run's tables that were merged into it, by name. */
  readonly names: readonly string[];
  /** All tables of the sync that write it, by name: undoing locks them all. */
  readonly writers: readonly string[];
  /** All columns of the live table, and those of its archive when it has one. */
  readonly columns: readonly string[];
  readonly archiveColumns: readonly string[] | null;
  /** What the run's merges counted. */
  readonly counted: Counted;
  /** Columns that people fill. */
  readonly peoples: readonly string[];
  /** What each of them holds in a new row, as SQL; absent when that is different for each row. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly derived: Derived | null;
}

interface Counted {
  readonly inserted: number;
  readonly updated: number;
  readonly restored: number;
  readonly archived: number;
}

const KEPT_BY_THE_LOADER = ['first_seen_at', 'updated_at', 'first_run_id', 'last_run_id'];

/**
 * The live tables that a run has merged into, in the order of their names.
 *
 * @param known every table of the run's sync, in the run's scope
 * @throws SyncFailure InvalidInput when the sync no longer has one of the run's tables
 */
export async function readUndoneTables(
  client: pg.PoolClient,
  of: RunId,
  known: readonly LiveTable[],
): Promise<UndoneTable[]> {
  const { rows: merged } = await client.query<Counted & { table_name: string }>(
    `SELECT table_name, inserted, updated, restored, archived FROM durasync.sync_run_tables
     WHERE run_id = $1 AND merged_generation IS NOT NULL ORDER BY table_name`,
    [of],
  );
  const byLive = new Map<string, { table: LiveTable; counts: (typeof merged)[number] }[]>();
  for (const counts of merged) {
    const table = known.find(({ name }) => name === counts.table_name);
    if (!table) {
      throw new SyncFailure('InvalidInput', `The sync has no table '${counts.table_name}' any more.`);
    }
    byLive.set(table.live, [...(byLive.get(table.live) ?? []), { table, counts }]);
  }
  const undone: UndoneTable[] = [];
  for (const [live, parts] of [...byLive].sort(([a], [b]) => (a < b ? -1 : 1))) {
    undone.push(
      await describe(
        client,
        parts.map(({ table }) => table),
        {
          writers: known.filter((table) => table.live === live).map(({ name }) => name),
          counted: sumOf(parts.map(({ counts }) => counts)),
        },
      ),
    );
  }
  return undone;
}

const sumOf = (counts: readonly Counted[]): Counted => {
  const total = (of: keyof Counted): number => counts.reduce((sum, each) => sum + each[of], 0);
  return {
    inserted: total('inserted'),
    updated: total('updated'),
    restored: total('restored'),
    archived: total('archived'),
  };
};

async function describe(
  client: pg.PoolClient,
  parts: readonly LiveTable[],
  { writers, counted }: Pick<UndoneTable, 'writers' | 'counted'>,
): Promise<UndoneTable> {
  const [first] = parts as [LiveTable, ...LiveTable[]];
  const table = { ...first, insertOnly: [...new Set(parts.flatMap(({ insertOnly }) => insertOnly))] };
  const columns = await liveColumns(client, table);
  const derived = table.derived?.columns ?? [];
  const loaded = new Set([
    ...KEPT_BY_THE_LOADER,
    ...derived,
    ...parts.flatMap((part) => part.columns.filter((column) => !part.insertOnly.includes(column))),
    ...parts.flatMap(({ lifecycle }) => lifecycle?.changedAt ?? []),
    ...parts.flatMap(({ shownBy }) => shownBy?.column ?? []),
  ]);
  const peoples = columns.filter((column) => !loaded.has(column));
  const archive = { ...table, live: `${table.live}_archive` };
  return {
    table,
    names: parts.map(({ name }) => name).sort(),
    writers: [...writers].sort(),
    columns,
    archiveColumns: table.archivable ? await liveColumns(client, archive) : null,
    counted,
    peoples,
    defaults: await readDefaults(client, table, peoples),
    derived: table.derived,
  };
}

/** Constant defaults only: the result of a function, such as a number or the time, is different in each row. */
async function readDefaults(
  client: pg.PoolClient,
  { schema, live }: LiveTable,
  columns: readonly string[],
): Promise<Record<string, string>> {
  const { rows } = await client.query<{ column: string; value: string }>(
    `SELECT column_name AS "column", coalesce(column_default, 'NULL') AS value FROM information_schema.columns
     WHERE table_schema = $1 AND table_name = $2 AND column_name = ANY ($3) AND is_identity = 'NO'
       AND is_generated = 'NEVER' AND strpos(coalesce(column_default, ''), '(') = 0`,
    [schema, live, columns],
  );
  return Object.fromEntries(rows.map(({ column, value }) => [column, value]));
}

/** SQL fragments for undoing what one run did to one live table. */
export function undoSql({ table, names, columns, peoples, defaults, derived }: UndoneTable, of: RunId) {
  const { live, archive, list, sameKey } = liveTableSql(table);
  const row = sql`NULL::${live}`;
  const owned = derived?.unless;
  const byPerson = (prefix: string): RawBuilder<unknown>[] =>
    owned
      ? owned.columns.map(
          (column) =>
            sql`CASE WHEN ${sql.ref(`${prefix}.${owned.column}`)} = ${owned.is} THEN ${sql.ref(`${prefix}.${column}`)} END`,
        )
      : [];
  /** Each column that people fill, and what a row has there. */
  const peoplesOf = (prefix: string): { column: string; value: RawBuilder<unknown> }[] => [
    ...peoples.map((column) => ({ column, value: sql.ref(`${prefix}.${column}`) })),
    ...byPerson(prefix).map((value, at) => ({ column: owned?.columns[at] ?? '', value })),
  ];
  const since = sql.join(
    peoplesOf('l').map(({ column, value }, at) => {
      const before = peoplesOf('b')[at]?.value ?? sql`NULL`;
      return sql`CASE WHEN ${value} IS DISTINCT FROM ${before} THEN ${column}::text END`;
    }),
  );
  const fresh = peoplesOf('l').flatMap(({ column, value }) => {
    const at = defaults[column];
    const isPlain = peoples.includes(column);
    if (isPlain && at === undefined) return [];
    const initial = isPlain ? sql.raw(at ?? 'NULL') : sql`NULL`;
    const given = table.insertOnly.includes(column)
      ? sql`coalesce(${sql.ref(`b.${column}`)}, ${initial})`
      : initial;
    return [sql`CASE WHEN ${value} IS DISTINCT FROM ${given} THEN ${column}::text END`];
  });
  const images = (change: 'updated' | 'restored' | 'inserted'): RawBuilder<unknown> => sql`
    (SELECT c.before, b.* FROM durasync.row_changes c, jsonb_populate_record(${row}, c.before) b
     WHERE c.run_id = ${of} AND c.table_name = ANY (${names}) AND c.change = ${change})`;
  return {
    live,
    archive,
    list,
    sameKey,
    columns: list(columns),
    /** The rows that the run changed, brought back, or filled people's columns of, as they were before. */
    images,
    /** The names of the columns of `l` that a person has changed since `b`, as an array; null when none. */
    changedSince: textArray(peoplesOf('l').length > 0 ? since : null),
    /** The same for a row that the run inserted; `b` is what it filled people's columns with. */
    changedSinceInserted: textArray(fresh.length > 0 ? sql.join(fresh) : null),
    /** The key of `prefix` as JSON, for people. */
    keyOf: (prefix: string): RawBuilder<unknown> =>
      sql`jsonb_build_object(${sql.join(table.key.map((column) => sql`${sql.lit(column)}, ${sql.ref(`${prefix}.${column}`)}`))})`,
    has: (prefix: string): RawBuilder<boolean> =>
      sql<boolean>`${sql.ref(`${prefix}.${table.key[0]}`)} IS NOT NULL`,
  };
}

/** Nulls left away; null instead of an empty array. */
const textArray = (items: RawBuilder<unknown> | null): RawBuilder<string[] | null> =>
  items === null
    ? sql<null>`NULL::text[]`
    : sql<string[] | null>`nullif(array_remove(ARRAY[${items}]::text[], NULL), '{}')`;

/** Runs a statement that Kysely builds on one connection. */
export async function runOn<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  db: Db,
  statement: RawBuilder<unknown>,
): Promise<pg.QueryResult<Row>> {
  const { sql: text, parameters } = statement.compile(db);
  return client.query<Row>(text, [...parameters]);
}
