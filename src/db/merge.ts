import { sql, type RawBuilder } from 'kysely';
import type pg from 'pg';
import type { Merged, Review, Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { TablePlan } from '../domain/run-plan.ts';
import { type DatabaseConnection, type Db, inTransaction } from './connect.ts';
import {
  content,
  type Lifecycle,
  type LiveTable,
  liveColumns,
  liveTableSql,
  relationExists,
  stagingTable,
  stillStaged,
} from './live-table.ts';
import { otherHolds } from './other-holds.ts';
import { resolveReplayed } from './quarantine-replay.ts';
import { keepChanged, keepInserted, keepRestored } from './row-changes.ts';
import { recordShown, sourceOfRun } from './shown-by.ts';
import { staysEmpty } from './stays-empty.ts';
import { type DaysOfRun, lockTableState, raiseGeneration, recordReading } from './table-state.ts';

export interface MergeRequest {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly archives: boolean;
  /** The days that the source shows whole, in a table whose runs show such days. */
  readonly days: NonNullable<TablePlan['days']> | null;
  readonly staged: Staged;
  readonly review: Review;
}

/**
 * Statistics taken while a large table was still empty make the steps that follow a thousand times slower, and
 * autovacuum may take them at any moment. Small tables are merged too fast for that.
 */
const ANALYZE_FROM_ROWS = 50_000;
/** Of a tenth of the usual sample: enough to know that a table is large. Autovacuum looks closely later. */
const STATISTICS_TARGET = 10;

interface WriteCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly restored: number;
}

/** A row came or changed in the middle of the merge, so that what was kept of it is not what was replaced. */
class MovedError extends Error {}

/**
 * Writes the reviewed rows into the live table, in one transaction that also keeps what they replace, raises the
 * table's generation and stores the counts. A repeat returns the stored counts.
 *
 * @returns `moved` when the live table changed since the review, `lost` when the relation no longer holds
 * what was reviewed; nothing is written then
 */
export async function mergeReviewed(database: DatabaseConnection, request: MergeRequest): Promise<Merged> {
  try {
    return await mergeOnce(database, request);
  } catch (error) {
    if (error instanceof MovedError) return { outcome: 'moved' };
    throw error;
  }
}

function mergeOnce({ pool, db }: DatabaseConnection, request: MergeRequest): Promise<Merged> {
  const { runId, table, review, staged } = request;
  const { replayOf } = staged;
  const days = request.days ?? staged.days ?? null;
  return inTransaction(pool, async (client) => {
    const state = await lockTableState(client, db, table, days);
    const done = await storedCounts(client, runId, table, days);
    if (done) return done;
    if (state.generation !== review.generation) return { outcome: 'moved' };
    if (!(await holdsRows(client, db, request))) {
      await client.query(`DELETE FROM durasync.staging_progress WHERE run_id = $1 AND table_name = $2`, [
        runId,
        table.name,
      ]);
      return { outcome: 'lost' };
    }
    const source = await sourceOfRun(client, table, replayOf ?? runId);
    const written = await writeRows(client, db, { ...request, source });
    if (source !== null && staged.staged > written.inserted) {
      await recordShown(client, db, table, { relation: staged.relation, source });
    }
    const generation = await raiseGeneration(client, db, table, days);
    if (request.days) {
      await recordReading(client, table, request.days, { runId, sourceFetchedAt: staged.sourceFetchedAt });
    }
    await client.query(
      `UPDATE durasync.table_state SET merged_run_id = $3, source_fetched_at = greatest(source_fetched_at, $4), drift = drift || $5::jsonb
       WHERE sync = $1 AND scope = $6 AND table_name = $2`,
      [
        table.sync,
        table.name,
        replayOf ?? runId,
        staged.sourceFetchedAt,
        JSON.stringify(staged.drift),
        table.scope,
      ],
    );
    if (replayOf) await resolveReplayed(client, runId, table);
    const counts = { ...written, unchanged: review.unchanged };
    // A row that another run inserted since the review is skipped too.
    const skipped = (review.skipped ?? 0) + (table.existing === 'skip' ? review.rows - counts.inserted : 0);
    await client.query(
      `UPDATE durasync.sync_run_tables
       SET stage = 'merged', inserted = $3, updated = $4, restored = $5, unchanged = $6, merged_generation = $7,
           skipped = skipped + $8, before_run_id = $9, before_fetched_at = $10
       WHERE run_id = $1 AND table_name = $2`,
      [
        runId,
        table.name,
        counts.inserted,
        counts.updated,
        counts.restored,
        counts.unchanged,
        generation,
        skipped,
        state.mergedRunId,
        state.sourceFetchedAt,
      ],
    );
    return {
      outcome: 'merged',
      ...counts,
      generation,
      superseded: await otherHolds(client, runId, table, days),
    };
  });
}

async function storedCounts(
  client: pg.PoolClient,
  runId: RunId,
  table: LiveTable,
  days: DaysOfRun | null,
): Promise<Merged | null> {
  const { rows } = await client.query<WriteCounts & { unchanged: number; generation: number }>(
    `SELECT inserted, updated, restored, unchanged, merged_generation AS generation FROM durasync.sync_run_tables
     WHERE run_id = $1 AND table_name = $2 AND merged_generation IS NOT NULL`,
    [runId, table.name],
  );
  if (!rows[0]) return null;
  return { outcome: 'merged', ...rows[0], superseded: await otherHolds(client, runId, table, days) };
}

/** Counts again what is about to be merged: unlogged relations are empty after a crash of the database. */
async function holdsRows(
  client: pg.PoolClient,
  db: Db,
  { runId, table, review, staged }: MergeRequest,
): Promise<boolean> {
  if (review.rows === 0) {
    return (await run(client, db, stillStaged(runId, table, staged.relation))).rowCount === 1;
  }
  if (!(await relationExists(client, review.relation))) return false;
  const compared = review.relation !== staged.relation;
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*) FROM durasync_staging."${review.relation}" WHERE valid ${compared ? `AND action <> 'missing'` : ''}`,
  );
  return rows[0]?.count === review.rows;
}

/** A merge, and what its source is called where rows keep who shows them. */
type Writing = MergeRequest & { readonly source: string | null };

async function writeRows(client: pg.PoolClient, db: Db, request: Writing): Promise<WriteCounts> {
  const { table, runId, review, staged } = request;
  if (review.rows === 0) return { inserted: 0, updated: 0, restored: 0 };
  const compared = review.relation !== staged.relation;
  const rows = sql`(SELECT * FROM ${stagingTable(review.relation)}
                    WHERE valid ${compared ? sql`AND action <> 'missing'` : sql``})`;
  const restored = request.archives ? await restoreRows(client, db, request, rows) : 0;
  const insert = insertInto(request, rows);
  if (!compared && table.existing !== 'skip' && (await staysEmpty(client, table))) {
    const inserted = (await run(client, db, insert)).rowCount ?? 0;
    if (inserted >= ANALYZE_FROM_ROWS) {
      await client.query(`SET LOCAL default_statistics_target = ${STATISTICS_TARGET}`);
      await run(client, db, sql`ANALYZE ${liveTableSql(table).live}`);
    }
    await keepWhatCameIn(client, db, { table, runId, rows, inserted });
    return { inserted, updated: 0, restored };
  }
  const changing = compared
    ? sql`(SELECT * FROM ${stagingTable(review.relation)} WHERE action = 'update')`
    : rows;
  const kept =
    table.existing === 'skip'
      ? 0
      : ((await run(client, db, keepChanged(table, runId, changing))).rowCount ?? 0);
  const { inserted, updated } = await upsertRows(client, db, request, insert);
  if (updated !== kept) throw new MovedError();
  await keepWhatCameIn(client, db, { table, runId, rows, inserted });
  return { inserted, updated, restored };
}

interface CameIn {
  readonly table: LiveTable;
  readonly runId: RunId;
  readonly rows: RawBuilder<unknown>;
  readonly inserted: number;
}

async function keepWhatCameIn(
  client: pg.PoolClient,
  db: Db,
  { table, runId, rows, inserted }: CameIn,
): Promise<void> {
  const keep = inserted > 0 ? keepInserted(table, runId, rows) : null;
  if (keep) await run(client, db, keep);
}

/** Moves rows back that the source shows again: their own columns as they were, the source's as it says now. */
async function restoreRows(
  client: pg.PoolClient,
  db: Db,
  { table, runId, source }: Writing,
  rows: RawBuilder<unknown>,
): Promise<number> {
  const { live, archive, list, sameKey, differs } = liveTableSql(table);
  const { lifecycle } = table;
  const any = await run(client, db, sql`SELECT 1 FROM ${archive} LIMIT 1`);
  if (any.rowCount === 0) return 0;
  const written = [...table.columns, 'updated_at', 'last_run_id'];
  const own = (await liveColumns(client, table)).filter((column) => !written.includes(column));
  const ownValues = sql.join(
    own.map((column) =>
      lifecycle?.changedAt === column
        ? changedAt(lifecycle, 's', 'b')
        : table.shownBy?.column === column
          ? sql`ARRAY[${source}::text]`
          : sql.ref(`b.${column}`),
    ),
  );
  const result = await run(
    client,
    db,
    sql`WITH back AS (DELETE FROM ${archive} a USING ${rows} s WHERE ${sameKey('a', 's')}
                        AND NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey('l', 's')}) RETURNING a.*),
             kept AS (${keepRestored(table, runId, sql`back`)})
        INSERT INTO ${live} (${list([...table.columns, ...own])}, updated_at, last_run_id)
        SELECT ${list(table.columns, 's')}, ${ownValues},
               CASE WHEN ${differs('s', 'b')} THEN now() ELSE b.updated_at END,
               CASE WHEN ${differs('s', 'b')} THEN ${runId} ELSE b.last_run_id END
        FROM back b JOIN ${rows} s ON ${sameKey('s', 'b')}`,
  );
  return result.rowCount ?? 0;
}

/** The instant at which a state changed: now when the row's new one is another than its old one. */
const changedAt = ({ state, changedAt: column }: Lifecycle, next: string, old: string): RawBuilder<unknown> =>
  sql`CASE WHEN ${sql.ref(`${next}.${state}`)} IS DISTINCT FROM ${sql.ref(`${old}.${state}`)} THEN now()
           ELSE ${sql.ref(`${old}.${column}`)} END`;

function insertInto({ table, runId, source }: Writing, rows: RawBuilder<unknown>): RawBuilder<unknown> {
  const { live, list } = liveTableSql(table);
  const written = [
    ...table.columns,
    'first_run_id',
    'last_run_id',
    ...(table.shownBy ? [table.shownBy.column] : []),
  ];
  return sql`
    INSERT INTO ${live} AS l (${list(written)})
    SELECT ${list(table.columns)}, ${runId}::text, ${runId}::text ${table.shownBy ? sql`, ARRAY[${source}::text]` : sql``}
    FROM ${rows} s`;
}

async function upsertRows(
  client: pg.PoolClient,
  db: Db,
  { table, runId }: Writing,
  insert: RawBuilder<unknown>,
): Promise<{ inserted: number; updated: number }> {
  const { list, differs } = liveTableSql(table);
  if (table.existing === 'skip' || table.compared.length === 0) {
    // Whatever it is that makes it the same: also another unique column than the key.
    const skipping = sql`${insert} ON CONFLICT DO NOTHING`;
    return { inserted: (await run(client, db, skipping)).rowCount ?? 0, updated: 0 };
  }
  const { lifecycle } = table;
  const assignments = sql.join([
    ...content(table).map((column) => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`),
    ...(lifecycle ? [sql`${sql.ref(lifecycle.changedAt)} = ${changedAt(lifecycle, 'excluded', 'l')}`] : []),
  ]);
  const { rows: counts } = await run(
    client,
    db,
    // Not xmax = 0, which a partitioned table does not tell.
    sql`WITH written AS (
          ${insert}
          ON CONFLICT (${list(table.key)}) DO UPDATE
          SET ${assignments}, updated_at = now(), last_run_id = excluded.last_run_id
          WHERE ${differs('excluded', 'l')}
          RETURNING l.first_run_id IS NOT DISTINCT FROM ${runId} AS inserted)
        SELECT count(*) FILTER (WHERE inserted) AS inserted, count(*) FILTER (WHERE NOT inserted) AS updated
        FROM written`,
  );
  return counts[0] as { inserted: number; updated: number };
}

async function run(client: pg.PoolClient, db: Db, statement: RawBuilder<unknown>): Promise<pg.QueryResult> {
  const { sql: text, parameters } = statement.compile(db);
  return client.query(text, [...parameters]);
}
