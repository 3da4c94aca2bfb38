import { sql } from 'kysely';
import type pg from 'pg';
import type { Archived, Review } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import { type DatabaseConnection, inTransaction } from './connect.ts';
import { type LiveTable, liveColumns, liveTableSql, relationExists, stagingTable } from './live-table.ts';
import { lockTableState, raiseGeneration } from './table-state.ts';

export interface ArchiveRequest {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly review: Review;
  /** The generation that this run's merge left behind. */
  readonly generation: number;
}

/**
 * Moves the rows that the review found missing to the archive, in one transaction that also raises the
 * generation and stores the count. A repeat returns the stored count.
 *
 * @returns `moved` when another run changed the table since this one merged; `lost` when the relation no
 * longer holds what was reviewed. Nothing is archived then.
 */
export async function archiveReviewed(
  { pool, db }: DatabaseConnection,
  { runId, table, review, generation }: ArchiveRequest,
): Promise<Archived> {
  return inTransaction(pool, async (client) => {
    const state = await lockTableState(client, table);
    const stored = await client.query<{ archived: number }>(
      `SELECT archived FROM durasync.sync_run_tables
       WHERE run_id = $1 AND table_name = $2 AND archived_generation IS NOT NULL`,
      [runId, table.name],
    );
    if (stored.rows[0]) return { outcome: 'archived', archived: stored.rows[0].archived };
    if (state.generation !== generation) return { outcome: 'moved' };
    if ((await countMissing(client, review)) !== review.missing) return { outcome: 'lost' };
    const { live, archive, list, sameKey } = liveTableSql(table);
    const columns = await liveColumns(client, table);
    const move = sql`
      WITH gone AS (DELETE FROM ${live} l USING ${stagingTable(review.relation)} s
                    WHERE s.action = 'missing' AND ${sameKey('l', 's')} RETURNING l.*)
      INSERT INTO ${archive} (${list(columns)}, archived_at, archive_reason, archived_run_id)
      SELECT ${list(columns)}, now(), 'missing from the source', ${runId} FROM gone`.compile(db);
    const { rowCount } = await client.query(move.sql, [...move.parameters]);
    const archived = rowCount ?? 0;
    const raised = await raiseGeneration(client, table);
    await client.query(
      `UPDATE durasync.sync_run_tables SET stage = 'archived', archived = $3, archived_generation = $4
       WHERE run_id = $1 AND table_name = $2`,
      [runId, table.name, archived, raised],
    );
    return { outcome: 'archived', archived };
  });
}

async function countMissing(client: pg.PoolClient, review: Review): Promise<number> {
  if (!(await relationExists(client, review.relation))) return 0;
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*) FROM durasync_staging."${review.relation}" WHERE action = 'missing'`,
  );
  return rows[0]?.count ?? 0;
}
