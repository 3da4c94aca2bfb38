import { sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import { findDuplicates } from './duplicates.ts';

const LEAD_TYPES = ['bookingconfirmation', 'return', 'lossOfSale', 'enquiry'] as const;

/** What there is of one type of leads. */
export interface LeadTypeReport {
  readonly lead_type: string;
  readonly leads: number;
  readonly closed: number;
  /** Leads that are one with an older lead. */
  readonly duplicates: number;
  /** Leads that are open although a person closed them. */
  readonly open_and_closed: number;
  /** Leads that people have worked on. */
  readonly edited: number;
  readonly newest: string | null;
}

/** Counts leads by type. Reads only. */
export async function verifyLeads(db: Db): Promise<LeadTypeReport[]> {
  const duplicates = await findDuplicates(db);
  const { rows } = await sql<Omit<LeadTypeReport, 'duplicates'>>`
    SELECT t.lead_type, l.*, (SELECT count(*) FROM rentals.reports r WHERE r.lead_type = t.lead_type) AS closed
    FROM unnest(${[...LEAD_TYPES]}::text[]) WITH ORDINALITY t(lead_type, place),
         LATERAL (SELECT count(*) AS leads, to_char(max(created_at), 'YYYY-MM-DD') AS newest,
                         count(*) FILTER (WHERE call_status <> 'Not Called' OR lead_status <> 'No Status') AS edited,
                         count(*) FILTER (WHERE EXISTS (SELECT FROM rentals.reports r WHERE r.lead_key = leads.lead_key))
                           AS open_and_closed
                  FROM rentals.leads leads WHERE leads.lead_type = t.lead_type) l
    ORDER BY t.place`.execute(db);
  return rows.map((row) => {
    const own = duplicates.filter(({ lead_type }) => lead_type === row.lead_type);
    return { ...row, duplicates: own.reduce((sum, { surplus }) => sum + surplus.length, 0) };
  });
}

/** How the reading of one report stands. */
export interface TableReport {
  readonly table: string;
  readonly lead_type: string | null;
  /** Of the last run that has ended; 'never run' before the first. */
  readonly status: string;
  readonly completed_at: string | null;
  readonly inserted: number;
  readonly skipped: number;
  readonly quarantined: number;
  /** How many locations have been read at least once. */
  readonly locations: number;
  /** Locations that were last read on an earlier day than the others. */
  readonly behind: readonly string[];
}

/** How the last run of each report ended. Reads only. */
export async function verifyRuns(db: Db): Promise<TableReport[]> {
  const { rows } = await sql<TableReport>`
    SELECT t.name AS table, t.lead_type, coalesce(r.status, 'never run') AS status,
           to_char(r.completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS completed_at,
           coalesce(r.inserted, 0) AS inserted, coalesce(r.skipped, 0) AS skipped,
           coalesce(r.quarantined, 0) AS quarantined, m.locations, m.behind
    FROM (VALUES (1, 'stores', NULL), (2, 'bookings', 'bookingconfirmation'), (3, 'returns', 'return'))
           t(place, name, lead_type)
    LEFT JOIN LATERAL (
      SELECT rt.* FROM durasync.sync_run_tables rt JOIN durasync.sync_runs s USING (run_id)
      WHERE s.sync = 'rentals' AND s.kind = 'sync' AND rt.table_name = t.name AND rt.completed_at IS NOT NULL
      ORDER BY s.started_at DESC LIMIT 1) r ON true
    CROSS JOIN LATERAL (
      SELECT count(*) AS locations,
             coalesce(array_agg(split_part(w.name, '/', 2)) FILTER (WHERE w.value < newest), '{}') AS behind
      FROM (SELECT name, value, max(value) OVER () AS newest FROM durasync.watermarks
            WHERE sync = 'rentals' AND starts_with(name, t.name || '/')) w) m
    ORDER BY t.place`.execute(db);
  return rows;
}
