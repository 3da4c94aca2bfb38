import { sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import { dropClientView } from './client-views.ts';
import type { Db } from './connect.ts';
import { deleteInBatches } from './delete-in-batches.ts';

/** What a purge deleted, in rows. */
export interface Purged {
  readonly client_data: number;
  readonly sync_results: number;
  readonly skus: number;
  readonly quarantined: number;
}

/** Makes a client one that was removed: its workflow ends, its data stays. Safe to repeat. */
export async function deactivateClient(db: Db, clientId: string): Promise<void> {
  await sql`UPDATE commerce.clients SET active = false WHERE client_id = ${clientId}`.execute(db);
}

export interface OpenRun {
  readonly run_id: RunId;
  readonly workflow_id: string;
  readonly status: 'running' | 'held';
}

/** The runs of a client that may still write. */
export async function openClientRuns(db: Db, clientId: string): Promise<OpenRun[]> {
  const { rows } = await sql<OpenRun>`
    SELECT run_id, workflow_id, status FROM durasync.sync_runs
    WHERE sync = 'commerce' AND status IN ('running', 'held') AND scope IN (${scopesOf(clientId)})`.execute(
    db,
  );
  return rows;
}

const scopesOf = (clientId: string) => sql`
  SELECT credential_id::text FROM commerce.client_api_credentials WHERE client_id = ${clientId}`;

/**
 * Deletes everything there is of a removed client but the list of its runs: data, results, SKUs, quarantined rows,
 * what its runs replaced, cursors, secrets and its view. In batches, so it may stop half-way: safe to repeat.
 */
export async function purgeClientRows(db: Db, clientId: string): Promise<Purged> {
  const client = sql`client_id = ${clientId}`;
  const ofItsRuns = sql`run_id IN (SELECT run_id FROM durasync.sync_runs
    WHERE sync = 'commerce' AND scope IN (${scopesOf(clientId)}))`;
  await deleteInBatches(db, 'durasync.row_changes', ofItsRuns);
  const purged = {
    quarantined: await deleteInBatches(db, 'durasync.quarantined_rows', ofItsRuns),
    client_data: await deleteInBatches(db, 'commerce.client_data', client),
    sync_results: await deleteInBatches(db, 'commerce.client_api_sync_results', client),
    skus: await deleteInBatches(db, 'commerce.sku_cache', client),
  };
  await db.transaction().execute(async (tx) => {
    for (const table of ['durasync.watermarks', 'durasync.table_state']) {
      await sql`DELETE FROM ${sql.table(table)}
        WHERE sync = 'commerce' AND scope IN (${scopesOf(clientId)})`.execute(tx);
    }
    const { rows } = await sql<{ view_name: string }>`
      DELETE FROM commerce.clients WHERE ${client} AND NOT active RETURNING view_name`.execute(tx);
    for (const { view_name } of rows) await dropClientView(tx, view_name);
  });
  return purged;
}
