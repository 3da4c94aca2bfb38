import { sql } from 'kysely';
import type pg from 'pg';
import { SyncFailure } from '../domain/failures.ts';
import type { RunId } from '../domain/ids.ts';
import { type DatabaseConnection, type Db, inTransaction } from './connect.ts';

/** A file that a person has uploaded, and what was said about it besides. */
export interface StoredUpload {
  /** As it was called where it came from. */
  readonly fileName: string;
  readonly options: Readonly<Record<string, string>>;
  /** Its bytes from the beginning, in pieces; each call begins anew. */
  read(): AsyncIterable<Buffer>;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Keeps a file for the run that will read it, in little memory, and forgets those that are a week old. Returns its
 * id; nothing is kept when reading the file fails.
 */
export async function storeUpload(
  { pool, db }: DatabaseConnection,
  upload: StoredUpload,
  { kind, uploadedBy }: { readonly kind: string; readonly uploadedBy: string },
): Promise<string> {
  await sql`DELETE FROM durasync.uploads WHERE uploaded_at < now() - interval '7 days'`.execute(db);
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO durasync.uploads (file_name, options, uploaded_by, kind) VALUES ($1, $2, $3, $4) RETURNING id`,
      [upload.fileName, JSON.stringify(upload.options), uploadedBy, kind],
    );
    const id = rows[0]?.id ?? '';
    let chunk = 0;
    for await (const content of inChunks(upload.read())) {
      await client.query(
        `INSERT INTO durasync.upload_chunks (upload_id, chunk, content) VALUES ($1, $2, $3)`,
        [id, chunk, content],
      );
      chunk += 1;
    }
    return id;
  });
}

/** Joins small pieces, so that a file takes few rows. */
async function* inChunks(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
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
export async function readUpload({ pool, db }: DatabaseConnection, runId: RunId): Promise<StoredUpload> {
  const { rows } = await sql<{ id: string; fileName: string; options: StoredUpload['options'] }>`
    SELECT u.id, u.file_name AS "fileName", u.options
    FROM durasync.sync_runs r JOIN durasync.uploads u ON u.id::text = r.metadata->>'upload'
    WHERE r.run_id = ${runId}`.execute(db);
  const [found] = rows;
  if (!found) {
    throw new SyncFailure('InvalidInput', 'The uploaded file of this import is not there. Upload it again.');
  }
  const { id, fileName, options } = found;
  return { fileName, options, read: () => readChunks(pool, id) };
}

/** A file that is kept, by its id; undefined when there is none of this kind, or no longer. */
export async function findUpload(
  { pool, db }: DatabaseConnection,
  id: string,
  kind: string,
): Promise<StoredUpload | undefined> {
  const { rows } = await sql<Pick<StoredUpload, 'fileName' | 'options'>>`
    SELECT file_name AS "fileName", options FROM durasync.uploads
    WHERE id::text = ${id} AND kind = ${kind}`.execute(db);
  return rows[0] && { ...rows[0], read: () => readChunks(pool, id) };
}

async function* readChunks(pool: pg.Pool, id: string): AsyncGenerator<Buffer> {
  for (let chunk = 0; ; chunk += 1) {
    const { rows } = await pool.query<{ content: Buffer }>(
      `SELECT content FROM durasync.upload_chunks WHERE upload_id = $1 AND chunk = $2`,
      [id, chunk],
    );
    if (!rows[0]) return;
    yield rows[0].content;
  }
}
