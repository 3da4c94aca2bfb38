import { sql } from 'kysely';
import { makeClientView } from '../client-views.ts';
import { connectDatabase } from '../connect.ts';
import { type Manifest, unusable } from './manifest.ts';

/**
 * Makes the views of clients that were there when a backup was made, in a database of the newest schema. One after the
 * other, because each locks what it makes until its transaction ends.
 *
 * @throws SyncFailure BackupUnusable
 */
export async function restoreViews(
  databaseUrl: string,
  { client_views: views, name }: Manifest,
): Promise<void> {
  if (views.length === 0) return;
  const connection = connectDatabase({ databaseUrl, applicationName: 'durasync restore', maxConnections: 1 });
  try {
    const { rows } = await sql<{ client_id: string; view_name: string }>`
      SELECT client_id, view_name FROM commerce.clients WHERE view_name = ANY (${views})`.execute(
      connection.db,
    );
    if (rows.length !== views.length) throw unusable(name, 'a client whose view it names is missing in it');
    for (const { client_id, view_name } of rows) await makeClientView(connection.db, client_id, view_name);
  } finally {
    await connection.close();
  }
}
