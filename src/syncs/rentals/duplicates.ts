import { sql } from 'kysely';
import { type DatabaseConnection, type Db, inTransaction } from '../../db/connect.ts';
import { type LeadIdentity, leadKey } from './lead-key.ts';
import { lockWriters } from './lock-writers.ts';
import { findStore } from './store-name.ts';

/** Leads that are one by what they say now, oldest first. */
export interface DuplicateLeads {
  readonly lead_type: LeadIdentity['lead_type'];
  /** The oldest one, which stays. */
  readonly kept: number;
  readonly surplus: readonly number[];
}

interface LeadRow extends LeadIdentity {
  readonly lead_id: number;
}

/**
 * Finds leads that have become one: people correct names, numbers and stores, while each lead keeps the key it was
 * made with. Nothing is changed.
 */
export async function findDuplicates(db: Db): Promise<DuplicateLeads[]> {
  const { rows } = await sql<LeadRow>`
    SELECT lead_id, lead_type, booking_no, phone, name, store, enquiry_date FROM rentals.leads
    ORDER BY created_at, lead_id`.execute(db);
  const byKey = new Map<string, LeadRow[]>();
  for (const row of rows) {
    const key = leadKey({ ...row, store: findStore(row.store) ?? row.store });
    byKey.set(key, [...(byKey.get(key) ?? []), row]);
  }
  return [...byKey.values()].flatMap(([oldest, ...others]) =>
    oldest && others.length > 0
      ? [{ lead_type: oldest.lead_type, kept: oldest.lead_id, surplus: others.map(({ lead_id }) => lead_id) }]
      : [],
  );
}

/**
 * Removes surplus leads. Their keys stay known as done with, else the next cycle would bring them back. Safe to
 * repeat.
 *
 * @returns how many were removed
 */
export async function removeSurplus(
  { pool }: Pick<DatabaseConnection, 'pool'>,
  duplicates: readonly DuplicateLeads[],
  actor: string,
): Promise<number> {
  const ids = duplicates.flatMap(({ surplus }) => surplus);
  return inTransaction(pool, async (client) => {
    await lockWriters(client);
    const { rowCount } = await client.query(
      `WITH gone AS (DELETE FROM rentals.leads WHERE lead_id = ANY ($1) RETURNING *), kept AS (
         INSERT INTO rentals.reports (lead_key, lead_id, lead_type, booking_no, phone, name, store, closed_by, snapshot)
         SELECT lead_key, lead_id, lead_type, booking_no, phone, name, store, $2, to_jsonb(gone)
         FROM gone ON CONFLICT (lead_key) DO NOTHING)
       SELECT FROM gone`,
      [ids, `${actor} (duplicate)`],
    );
    return rowCount ?? 0;
  });
}
