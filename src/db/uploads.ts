import { sql } from 'kysely';
import { SyncFailure } from '../domain/failures.ts';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';

/** A file that a person has uploaded, and what was said about it besides. */
export interface StoredUpload {
  readonly fileName: string;
  readonly content: Buffer;
  readonly options: Readonly<Record<string, string>>;
}

/** Keeps a file for the run that will read it, and forgets those of runs that ended a week ago. Returns its id. */
export async function storeUpload(db: Db, upload: StoredUpload, uploadedBy: string): Promise<string> {
  await sql`DELETE FROM durasync.uploads WHERE uploaded_at < now() - interval '7 days'`.execute(db);
  const { rows } = await sql<{ id: string }>`
    INSERT INTO durasync.uploads (file_name, content, options, uploaded_by)
    VALUES (${upload.fileName}, ${upload.content}, ${JSON.stringify(upload.options)}::jsonb, ${uploadedBy})
    RETURNING id`.execute(db);
  return rows[0]?.id ?? '';
}

/** Keeps beside a run which file it reads. Safe to repeat. */
export async function saveUploadOfRun(db: Db, runId: RunId, uploadId: string): Promise<void> {
  await db
    .updateTable('durasync.sync_runs')
    .set({ metadata: sql`metadata || ${JSON.stringify({ upload: uploadId })}::jsonb` })
    .where('run_id', '=', runId)
    .execute();
}

/**
 * The file that a run reads.
 *
 * @throws SyncFailure InvalidInput when it is not there, or no longer
 */
export async function readUpload(db: Db, runId: RunId): Promise<StoredUpload> {
  const { rows } = await sql<StoredUpload>`
    SELECT u.file_name AS "fileName", u.content, u.options
    FROM durasync.sync_runs r JOIN durasync.uploads u ON u.id::text = r.metadata->>'upload'
    WHERE r.run_id = ${runId}`.execute(db);
  if (rows[0]) return rows[0];
  throw new SyncFailure('InvalidInput', 'The uploaded file of this import is not there. Upload it again.');
}
