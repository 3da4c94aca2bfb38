import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import type { LiveTable } from './live-table.ts';

/** Where a live table stands: every merge, archive and undo raises its generation by one. */
export interface TableState {
  readonly generation: number;
  readonly mergedRunId: string | null;
  /** When the fetch of the newest merged snapshot began. */
  readonly sourceFetchedAt: Date | null;
}

/** The days that a run has to do with, `from` to before `to`, in a table whose runs show whole days. */
export interface DaysOfRun {
  readonly from: string;
  readonly to: string;
}

/**
 * Locks the state of a live table until the transaction ends, so that only one run at a time changes it.
 *
 * @param days with them, only what other runs do to the same days changes the generation; without them, everything
 */
export async function lockTableState(
  client: pg.PoolClient,
  db: Db,
  table: LiveTable,
  days: DaysOfRun | null = null,
): Promise<TableState> {
  await client.query(
    `INSERT INTO durasync.table_state (sync, scope, table_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [table.sync, table.scope, table.name],
  );
  await client.query(
    `SELECT FROM durasync.table_state WHERE sync = $1 AND scope = $2 AND table_name = $3 FOR UPDATE`,
    [table.sync, table.scope, table.name],
  );
  const { sql: text, parameters } = stateOf(table, days).compile(db);
  const { rows } = await client.query<TableState>(text, [...parameters]);
  return rows[0] ?? NO_STATE;
}

/** Reads the state of a live table, or of some of its days, without a lock. */
export async function readTableState(db: Db, table: LiveTable, days: DaysOfRun | null): Promise<TableState> {
  const { rows } = await stateOf(table, days).execute(db);
  return rows[0] ?? NO_STATE;
}

const NO_STATE: TableState = { generation: 0, mergedRunId: null, sourceFetchedAt: null };

function stateOf(table: LiveTable, days: DaysOfRun | null): RawBuilder<TableState> {
  const isTable = sql`sync = ${table.sync} AND scope = ${table.scope} AND table_name = ${table.name}`;
  if (table.day === null) {
    return sql<TableState>`
      SELECT generation, merged_run_id AS "mergedRunId", source_fetched_at AS "sourceFetchedAt"
      FROM durasync.table_state WHERE ${isTable}`;
  }
  const isOurs = days ? sql`day >= ${days.from} AND day < ${days.to}` : sql`true`;
  return sql<TableState>`
    WITH of_days AS (SELECT * FROM durasync.day_state WHERE ${isTable} AND ${isOurs}),
         newest AS (SELECT merged_run_id, source_fetched_at FROM of_days WHERE source_fetched_at IS NOT NULL
                    ORDER BY source_fetched_at DESC LIMIT 1)
    SELECT (coalesce((SELECT generation FROM durasync.table_state WHERE ${isTable}), 0)
            + coalesce((SELECT sum(generation) FROM of_days), 0))::bigint AS generation,
           (SELECT merged_run_id FROM newest) AS "mergedRunId",
           (SELECT source_fetched_at FROM newest) AS "sourceFetchedAt"`;
}

/** Raises the generation and returns the new one, of the same days as it was read with. The caller holds the lock. */
export async function raiseGeneration(
  client: pg.PoolClient,
  db: Db,
  table: LiveTable,
  days: DaysOfRun | null = null,
): Promise<number> {
  const raise =
    days && table.day !== null
      ? sql`INSERT INTO durasync.day_state AS d (sync, scope, table_name, day, generation)
            SELECT ${table.sync}, ${table.scope}, ${table.name}, day, 1
            FROM generate_series(${days.from}::date, ${days.to}::date - 1, interval '1 day') day
            ON CONFLICT (sync, scope, table_name, day) DO UPDATE SET generation = d.generation + 1`
      : sql`UPDATE durasync.table_state SET generation = generation + 1
            WHERE sync = ${table.sync} AND scope = ${table.scope} AND table_name = ${table.name}`;
  for (const statement of [raise, stateOf(table, days)]) {
    const { sql: text, parameters } = statement.compile(db);
    const { rows } = await client.query<TableState>(text, [...parameters]);
    if (rows[0]) return rows[0].generation;
  }
  return 0;
}

/** Remembers which run has read days whole, and when. The caller holds the lock and has raised the generation. */
export async function recordReading(
  client: pg.PoolClient,
  table: LiveTable,
  { from, to }: DaysOfRun,
  { runId, sourceFetchedAt }: { readonly runId: RunId; readonly sourceFetchedAt: string },
): Promise<void> {
  await client.query(
    `UPDATE durasync.day_state SET merged_run_id = $6, source_fetched_at = greatest(source_fetched_at, $7)
     WHERE sync = $1 AND scope = $2 AND table_name = $3 AND day >= $4 AND day < $5`,
    [table.sync, table.scope, table.name, from, to, runId, sourceFetchedAt],
  );
}
