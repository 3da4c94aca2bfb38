import { sql } from 'kysely';
import type { Db } from './connect.ts';

/** Makes a client's own view of its data, named in its row. Safe to repeat, not at the same time for one client. */
export async function makeClientView(tx: Db, clientId: string, viewName: string): Promise<void> {
  // A definition takes no parameters, so the id is written into it as a quoted literal.
  await sql`
    CREATE OR REPLACE VIEW ${sql.table(`commerce.${viewName}`)} AS
    SELECT client_id, platform, data_type, external_id, payload, source_updated_at, content_hash, first_seen_at,
           updated_at
    FROM commerce.client_data WHERE client_id = ${sql.lit(clientId)}`.execute(tx);
}

/** Safe to repeat. */
export async function dropClientView(tx: Db, viewName: string): Promise<void> {
  await sql`DROP VIEW IF EXISTS ${sql.table(`commerce.${viewName}`)}`.execute(tx);
}
