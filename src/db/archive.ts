import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { Archived } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import { type DatabaseConnection, type Db, inTransaction } from './connect.ts';
import {
  type Lifecycle,
  type LiveTable,
  liveColumns,
  liveTableSql,
  relationExists,
  stagingTable,
  stateIn,
} from './live-table.ts';
import { keepEnding } from './row-changes.ts';
import { isLastShown, withdrawShown } from './shown-by.ts';
import { type DaysOfRun, lockTableState, raiseGeneration } from './table-state.ts';

export interface ArchiveRequest {
  readonly runId: RunId;
  readonly table: LiveTable;
  /** The rows that the review found missing and where it lists them; null when none of them is gone. */
  readonly missing: { readonly relation: string; readonly rows: number } | null;
  /** Rows that ended before this instant (ISO) are archived too; null for rows that never end. */
  readonly expiredBefore: string | null;
  /** What its merge has raised the generation of, in a table whose runs show whole days. */
  readonly days: DaysOfRun | null;
  /** The generation that this run's merge left behind. */
  readonly generation: number;
}

/**
 * Archives what is gone, in one transaction that also raises the generation and stores the counts: a row that the
 * review found missing moves to the archive, or ends when it has a state, and what it was is kept; a row that ended
 * before `expiredBefore` moves. A repeat returns the stored count.
 *
 * @returns `moved` when another run changed the table since this one merged; `lost` when the relation no
 * longer holds what was reviewed. Nothing is archived then.
 */
export async function archiveReviewed(
  { pool, db }: DatabaseConnection,
  { runId, table, missing, expiredBefore, days, generation }: ArchiveRequest,
): Promise<Archived> {
  return inTransaction(pool, async (client) => {
    const state = await lockTableState(client, db, table, days);
    const stored = await client.query<{ archived: number }>(
      `SELECT archived FROM durasync.sync_run_tables
       WHERE run_id = $1 AND table_name = $2 AND archived_generation IS NOT NULL`,
      [runId, table.name],
    );
    if (stored.rows[0]) return { outcome: 'archived', archived: stored.rows[0].archived };
    if (state.generation !== generation) return { outcome: 'moved' };
    if (missing && (await countMissing(client, missing.relation)) !== missing.rows)
      return { outcome: 'lost' };
    const { lifecycle } = table;
    const ofRun: OfRun = { client, db, table, runId };
    const gone = missing ? await endMissing(ofRun, missing.relation) : { archived: 0, changed: 0 };
    const expired = lifecycle && expiredBefore ? await moveExpired(ofRun, lifecycle, expiredBefore) : 0;
    const archived = gone.archived + expired;
    const raised = await raiseGeneration(client, db, table, days);
    await client.query(
      `UPDATE durasync.sync_run_tables
       SET stage = 'archived', archived = $3, archived_generation = $4, updated = updated + $5
       WHERE run_id = $1 AND table_name = $2`,
      [runId, table.name, archived, raised, gone.changed],
    );
    return { outcome: 'archived', archived };
  });
}

interface OfRun {
  readonly client: pg.PoolClient;
  readonly db: Db;
  readonly table: LiveTable;
  readonly runId: RunId;
}

async function endMissing(
  ofRun: OfRun,
  relation: string,
): Promise<{ readonly archived: number; readonly changed: number }> {
  const { table, runId } = ofRun;
  const { live, sameKey } = liveTableSql(table);
  const isMissing = sql`s.action = 'missing' AND ${sameKey('l', 's')}`;
  const { lifecycle } = table;
  if (lifecycle) {
    await run(ofRun, keepEnding(table, runId, stagingTable(relation), isMissing));
    const ended = sql`
      UPDATE ${live} l SET ${sql.ref(lifecycle.state)} = ${lifecycle.missing}, ${sql.ref(lifecycle.changedAt)} = now(),
                           updated_at = now(), last_run_id = ${runId}
      FROM ${stagingTable(relation)} s WHERE ${isMissing}`;
    return { archived: 0, changed: await run(ofRun, ended) };
  }
  const { client, db } = ofRun;
  const gone = sql`DELETE FROM ${live} l USING ${stagingTable(relation)} s
                   WHERE ${isMissing} AND ${isLastShown(table, 'l')} RETURNING l.*`;
  const archived = await move(ofRun, gone, sql`'missing from the source'`);
  await withdrawShown(client, db, table, relation);
  return { archived, changed: 0 };
}

/** Moves rows that ended long enough ago. */
function moveExpired(ofRun: OfRun, lifecycle: Lifecycle, expiredBefore: string): Promise<number> {
  const { live } = liveTableSql(ofRun.table);
  const changedAt = sql.ref(lifecycle.changedAt);
  const gone = sql`DELETE FROM ${live} l WHERE ${stateIn(`l.${lifecycle.state}`, lifecycle.ended)}
                   AND l.${changedAt} < ${expiredBefore}::timestamptz RETURNING l.*`;
  const since = sql`to_char(${changedAt} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;
  return move(ofRun, gone, sql`${sql.ref(lifecycle.state)} || ' since ' || ${since}`);
}

/** Moves the rows that a DELETE returns to the archive. */
async function move(ofRun: OfRun, gone: RawBuilder<unknown>, reason: RawBuilder<unknown>): Promise<number> {
  const { archive, list } = liveTableSql(ofRun.table);
  const columns = await liveColumns(ofRun.client, ofRun.table);
  return run(
    ofRun,
    sql`WITH gone AS (${gone})
        INSERT INTO ${archive} (${list(columns)}, archived_at, archive_reason, archived_run_id)
        SELECT ${list(columns)}, now(), ${reason}, ${ofRun.runId} FROM gone`,
  );
}

async function run({ client, db }: OfRun, statement: RawBuilder<unknown>): Promise<number> {
  const { sql: text, parameters } = statement.compile(db);
  return (await client.query(text, [...parameters])).rowCount ?? 0;
}

async function countMissing(client: pg.PoolClient, relation: string): Promise<number> {
  if (!(await relationExists(client, relation))) return 0;
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*) FROM durasync_staging."${relation}" WHERE action = 'missing'`,
  );
  return rows[0]?.count ?? 0;
}
