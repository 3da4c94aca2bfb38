import { sql } from 'kysely';
import type { KeyRing } from '../key-ring.ts';
import type { Db } from './connect.ts';

const BATCH_ROWS = 200;

export interface RotatedCredentials {
  /** Sealed anew with the first key. */
  readonly rotated: number;
  /** Sealed with the first key already. */
  readonly current: number;
}

interface Sealed {
  readonly credential_id: string;
  readonly credentials: string;
}

/**
 * Seals every credential that another key sealed with the first key of the ring, 200 in a transaction. Nothing is
 * changed when a key is missing. Safe to repeat, also after a stop half-way.
 *
 * @throws SealedSecretError naming the credential that can't be opened, and the key it needs
 */
export async function rotateCredentials(db: Db, keys: KeyRing): Promise<RotatedCredentials> {
  const older = sql`split_part(credentials, ':', 1) <> ${keys.keyId}`;
  const { rows: samples } = await sql<Sealed>`
    SELECT DISTINCT ON (split_part(credentials, ':', 1)) credential_id, credentials
    FROM commerce.client_api_credentials WHERE ${older}
    ORDER BY split_part(credentials, ':', 1), credential_id`.execute(db);
  for (const { credential_id, credentials } of samples) keys.open(credentials, credential_id);

  let rotated = 0;
  for (;;) {
    const sealed = await db.transaction().execute(async (tx) => {
      const { rows } = await sql<Sealed>`
        SELECT credential_id, credentials FROM commerce.client_api_credentials WHERE ${older}
        ORDER BY credential_id LIMIT ${BATCH_ROWS} FOR UPDATE`.execute(tx);
      for (const { credential_id: id, credentials } of rows) {
        // Not a change of the connection, so `updated_at` stays and no workflow reads it again.
        await sql`UPDATE commerce.client_api_credentials
          SET credentials = ${keys.seal(keys.open(credentials, id), id)} WHERE credential_id = ${id}`.execute(
          tx,
        );
      }
      return rows.length;
    });
    if (sealed === 0) break;
    rotated += sealed;
  }
  const { rows } = await sql<{ all: number }>`
    SELECT count(*) AS all FROM commerce.client_api_credentials`.execute(db);
  return { rotated, current: (rows[0]?.all ?? rotated) - rotated };
}
