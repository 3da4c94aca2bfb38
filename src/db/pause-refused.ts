import { sql } from 'kysely';
import type { EndedRun } from '../domain/clients.ts';
import { pausedCause, raiseCause } from '../notify/causes.ts';
import { audit } from './audit.ts';
import type { Db } from './connect.ts';

/**
 * Pauses a connection whose credentials were refused for too long, and says so once: in the audit log, in the
 * notices of the run that was refused last, and to people. Call it in the transaction that records the run.
 */
export async function pauseRefused(
  tx: Db,
  { clientId, credentialId, runId, message }: EndedRun,
): Promise<void> {
  const reason = `not let in for 7 days: ${message ?? 'no reason given'}`;
  const { rows } = await sql<{ platform: string; connection: string; since: Date }>`
    UPDATE commerce.client_api_credentials
    SET paused = true, paused_by = 'refusals', paused_reason = ${reason}
    WHERE credential_id = ${credentialId}
    RETURNING platform_type AS platform, connection_name AS connection, refused_since AS since`.execute(tx);
  for (const { platform, connection, since } of rows) {
    const notice =
      `The ${platform} connection ${connection} of client ${clientId} is paused: it was ${reason} ` +
      `Give it new credentials with: npx durasync clients add, or resume it with: npx durasync clients resume ${clientId}`;
    await audit(tx, {
      actor: 'durasync',
      action: 'pause connection',
      subject: clientId,
      detail: { credentialId, platform, connection, since: since.toISOString(), reason },
    });
    await sql`
      UPDATE durasync.sync_runs
      SET metadata = jsonb_set(metadata, '{notices}', coalesce(metadata->'notices', '[]') || to_jsonb(${notice}::text))
      WHERE run_id = ${runId}`.execute(tx);
    await raiseCause(tx, {
      cause: pausedCause(credentialId),
      kind: 'client_paused',
      title: `The ${platform} connection ${connection} of client ${clientId} is paused`,
      body: notice,
    });
  }
}
