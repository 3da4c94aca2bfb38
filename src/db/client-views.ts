import { sql } from 'kysely';
import type { Db } from './connect.ts';

/** Makes a client's own view of its data, named in its row. Safe to repeat, not at the same time for one client. */
export async function makeClientView(tx: Db, clientId: string, viewName: string): Promise<void> {
  await sql`SELECT commerce.make_client_view(${clientId}, ${viewName})`.execute(tx);
}

/** Safe to repeat. */
export async function dropClientView(tx: Db, viewName: string): Promise<void> {
  await sql`SELECT commerce.drop_client_view(${viewName})`.execute(tx);
}
