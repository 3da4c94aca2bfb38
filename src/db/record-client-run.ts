import { sql } from 'kysely';
import type { EndedRun } from '../domain/clients.ts';
import type { Db } from './connect.ts';

const HOUR_MS = 3_600_000;
const RETRY_MAX_MS = HOUR_MS;

interface Grid {
  readonly due_at: Date;
  readonly hours: number;
}

/**
 * Stores how a run of a connection ended and when the next one is due. A scheduled run moves the grid of due
 * times past now, skipping missed ones; a forced one does not; a failure is tried again within an hour. A repeat
 * for the same run changes nothing.
 */
export async function recordClientRun(db: Db, run: EndedRun): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql<Grid>`
      SELECT due_at, sync_frequency_hours AS hours FROM commerce.client_api_credentials
      WHERE credential_id = ${run.credentialId} FOR UPDATE`.execute(tx);
    if (!rows[0]) return;
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
    const { dueAt, nextAt } = nextTimes(rows[0], run);
    await sql`
      UPDATE commerce.client_api_credentials
      SET due_at = ${dueAt}, next_sync_at = ${nextAt}, error_message = ${run.message},
          last_sync_at = CASE WHEN ${failed} THEN last_sync_at ELSE ${run.startedAt}::timestamptz END,
          status = CASE WHEN ${failed} THEN ${failedStatus(run.message)} ELSE 'connected' END
      WHERE credential_id = ${run.credentialId}`.execute(tx);
  });
}

function nextTimes({ due_at, hours }: Grid, run: EndedRun): { dueAt: Date; nextAt: Date } {
  const frequencyMs = hours * HOUR_MS;
  // The server that found it due may be ahead of the clock of this machine.
  const nowMs = Math.max(Date.now(), Date.parse(run.startedAt));
  const dueAt = run.trigger === 'schedule' ? nextOnGrid(due_at, frequencyMs, nowMs) : due_at;
  const retryAt = new Date(nowMs + Math.min(RETRY_MAX_MS, frequencyMs));
  return { dueAt, nextAt: run.outcome === 'failure' && retryAt < dueAt ? retryAt : dueAt };
}

/** The first time of the grid that lies ahead. A retry comes between two of them and moves nothing. */
function nextOnGrid(due: Date, frequencyMs: number, nowMs: number): Date {
  if (due.getTime() > nowMs) return due;
  const slots = Math.floor((nowMs - due.getTime()) / frequencyMs) + 1;
  return new Date(due.getTime() + slots * frequencyMs);
}

function failedStatus(message: string | null): 'error' | 'expired' | 'revoked' {
  if (/\bexpired\b/i.test(message ?? '')) return 'expired';
  return /\brevoked\b/i.test(message ?? '') ? 'revoked' : 'error';
}
