import type pg from 'pg';
import type { LiveTable } from './live-table.ts';

/** Where a live table stands: every merge, archive and undo raises its generation by one. */
export interface TableState {
  readonly generation: number;
  readonly mergedRunId: string | null;
  /** When the fetch of the newest merged snapshot began. */
  readonly sourceFetchedAt: Date | null;
}

/**
 * Locks the state of a live table until the transaction ends, so that only one run at a time changes it.
 */
export async function lockTableState(client: pg.PoolClient, table: LiveTable): Promise<TableState> {
  await client.query(
    `INSERT INTO durasync.table_state (sync, scope, table_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [table.sync, table.scope, table.name],
  );
  const { rows } = await client.query<TableState>(
    `SELECT generation, merged_run_id AS "mergedRunId", source_fetched_at AS "sourceFetchedAt"
     FROM durasync.table_state WHERE sync = $1 AND scope = $2 AND table_name = $3 FOR UPDATE`,
    [table.sync, table.scope, table.name],
  );
  return rows[0] ?? { generation: 0, mergedRunId: null, sourceFetchedAt: null };
}

/** Raises the generation and returns the new one. The caller holds the lock. */
export async function raiseGeneration(client: pg.PoolClient, table: LiveTable): Promise<number> {
  const { rows } = await client.query<{ generation: number }>(
    `UPDATE durasync.table_state SET generation = generation + 1
     WHERE sync = $1 AND scope = $2 AND table_name = $3 RETURNING generation`,
    [table.sync, table.scope, table.name],
  );
  return rows[0]?.generation ?? 0;
}
