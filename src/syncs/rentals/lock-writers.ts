import type pg from 'pg';

/** The tables of the sync that write leads, in the order in which they are locked. */
const WRITERS = ['bookings', 'loss_of_sale', 'returns', 'walk_ins'];

/**
 * Keeps every merge out that may write leads, until the transaction ends. One that was reviewed before finds that
 * the table has moved and is reviewed again.
 */
export async function lockWriters(client: pg.PoolClient): Promise<void> {
  await client.query(
    `INSERT INTO durasync.table_state (sync, scope, table_name)
       SELECT 'rentals', '', name FROM unnest($1::text[]) name ORDER BY name ON CONFLICT DO NOTHING`,
    [WRITERS],
  );
  await client.query(
    `SELECT FROM durasync.table_state WHERE sync = 'rentals' AND scope = '' AND table_name = ANY ($1)
       ORDER BY table_name FOR UPDATE`,
    [WRITERS],
  );
  await client.query(
    `UPDATE durasync.table_state SET generation = generation + 1
       WHERE sync = 'rentals' AND scope = '' AND table_name = ANY ($1)`,
    [WRITERS],
  );
}
