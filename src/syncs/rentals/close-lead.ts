import type { DatabaseConnection } from '../../db/connect.ts';
import { inTransaction } from '../../db/connect.ts';
import { lockWriters } from './lock-writers.ts';
import type { LeadIdentity } from './lead-key.ts';

/** A lead that is not among the open ones; the message says what to do. */
export class UnknownLeadError extends Error {
  override readonly name = 'UnknownLeadError';
}

/** A lead that was moved to `reports`. */
export interface ClosedLead extends Pick<
  LeadIdentity,
  'lead_type' | 'booking_no' | 'phone' | 'name' | 'store'
> {
  readonly lead_id: number;
  readonly closed_at: Date;
  readonly closed_by: string;
}

/**
 * Moves a lead to `reports` in one transaction, and says so in the audit log. Every merge that may write leads is
 * kept out meanwhile, and one that was reviewed before is reviewed again, so that none brings the lead back.
 *
 * @throws UnknownLeadError, also when it is closed already
 */
export async function closeLead(
  { pool }: Pick<DatabaseConnection, 'pool'>,
  leadId: number,
  actor: string,
): Promise<ClosedLead> {
  return inTransaction(pool, async (client) => {
    await lockWriters(client);
    const { rows } = await client.query<ClosedLead>(
      `WITH closed AS (DELETE FROM rentals.leads WHERE lead_id = $1 RETURNING *)
       INSERT INTO rentals.reports (lead_key, lead_id, lead_type, booking_no, phone, name, store, closed_by, snapshot)
       SELECT lead_key, lead_id, lead_type, booking_no, phone, name, store, $2, to_jsonb(closed) FROM closed
       RETURNING lead_id, lead_type, booking_no, phone, name, store, closed_at, closed_by`,
      [leadId, actor],
    );
    const [closed] = rows;
    if (!closed) throw await unknown(client, leadId);
    await client.query(
      `INSERT INTO durasync.audit_log (actor, action, subject, detail) VALUES ($1, 'close lead', $2, $3)`,
      [actor, `lead/${leadId}`, { lead_type: closed.lead_type }],
    );
    return closed;
  });
}

type QueryClient = Parameters<Parameters<typeof inTransaction>[1]>[0];

async function unknown(client: QueryClient, leadId: number): Promise<UnknownLeadError> {
  const { rows } = await client.query<{ closed_by: string }>(
    `SELECT closed_by FROM rentals.reports WHERE lead_id = $1`,
    [leadId],
  );
  return new UnknownLeadError(
    rows[0]
      ? `Lead ${leadId} is closed already, by ${rows[0].closed_by}.`
      : `There is no lead ${leadId}. See lead_id in the table leads.`,
  );
}
