import { sql } from 'kysely';
import type { EndedRun } from '../domain/clients.ts';
import { type Connection, nextTimes, standingAfter, wasNotLetIn } from './client-times.ts';
import { pausedCause, resolveCause } from '../notify/causes.ts';
import type { Db } from './connect.ts';
import { pauseRefused } from './pause-refused.ts';

/**
 * Stores how a run of a connection ended and when the next one is due. A scheduled run moves the grid of due
 * times past now, skipping missed ones; a forced one does not; a failure is tried again within an hour. Where the
 * credentials are the reason the waits double, and after seven days of that the connection is paused. A repeat for
 * the same run changes nothing.
 */
export function recordClientRun(db: Db, run: EndedRun): Promise<void> {
  return db.transaction().execute((tx) => recordClientRunIn(tx, run));
}

/** As `recordClientRun`, in a transaction of the caller. */
export async function recordClientRunIn(tx: Db, run: Omit<EndedRun, 'clientId'>): Promise<void> {
  const { rows } = await sql<Connection & { client_id: string }>`
    SELECT client_id, due_at, next_sync_at, sync_frequency_hours AS hours, refusals, refused_since, paused,
           (SELECT metadata->>'failure_code' FROM durasync.sync_runs WHERE run_id = ${run.runId}) AS failure_code
    FROM commerce.client_api_credentials WHERE credential_id = ${run.credentialId} FOR UPDATE`.execute(tx);
  const [connection] = rows;
  if (!connection) return;
  const { numAffectedRows } = await sql`
    INSERT INTO commerce.client_api_sync_results
      (run_id, client_id, credential_id, platform_type, connection_name, records_fetched, records_processed,
       records_stored, sync_duration_seconds, success, data_types_synced, sync_triggered_by, error_message, started_at)
    SELECT ${run.runId ?? run.workflowId}, client_id, credential_id, platform_type, connection_name,
           coalesce(t.fetched, 0), coalesce(t.staged, 0), coalesce(t.stored, 0),
           greatest(0, extract(epoch FROM clock_timestamp() - ${run.startedAt}::timestamptz)),
           ${run.outcome === 'success'}, coalesce(t.types, '[]'), ${run.triggeredBy}, ${run.message}, ${run.startedAt}
    FROM commerce.client_api_credentials
    LEFT JOIN (SELECT sum(fetched) AS fetched, sum(staged) AS staged, sum(inserted + updated) AS stored,
                      jsonb_agg(table_name ORDER BY table_name) FILTER (WHERE status = 'completed') AS types
               FROM durasync.sync_run_tables WHERE run_id = ${run.runId}) t ON true
    WHERE credential_id = ${run.credentialId}
    ON CONFLICT (run_id) DO NOTHING`.execute(tx);
  if (numAffectedRows === 0n) return;
  const failed = run.outcome === 'failure';
  // The server that found it due may be ahead of the clock of this machine.
  const nowMs = Math.max(Date.now(), Date.parse(run.startedAt));
  const { dueAt, nextAt } = nextTimes(connection, run, nowMs);
  const standing = standingAfter(connection, run, nowMs);
  await sql`
    UPDATE commerce.client_api_credentials
    SET due_at = ${dueAt}, next_sync_at = ${nextAt}, error_message = ${run.message},
        refusals = ${standing.refusals}, refused_since = ${standing.refusedSince},
        last_sync_at = CASE WHEN ${failed} THEN last_sync_at ELSE ${run.startedAt}::timestamptz END,
        status = CASE WHEN ${failed} THEN ${failedStatus(connection, run)} ELSE 'connected' END
    WHERE credential_id = ${run.credentialId}`.execute(tx);
  if (standing.pauses) await pauseRefused(tx, { ...run, clientId: connection.client_id });
  if (run.outcome === 'success') {
    // The run has told already that the connection works again.
    await resolveCause(tx, pausedCause(run.credentialId), null);
  }
}

function failedStatus(
  connection: Connection,
  run: Pick<EndedRun, 'outcome' | 'message'>,
): 'error' | 'expired' | 'revoked' {
  if (!wasNotLetIn(connection, run)) return 'error';
  if (/\bexpired\b/i.test(run.message ?? '')) return 'expired';
  return /\brevoked\b/i.test(run.message ?? '') ? 'revoked' : 'error';
}
