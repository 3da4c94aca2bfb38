import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { BackupPlace } from './backup-place.ts';
import { columnList } from './dump-table.ts';
import { tableName } from './list-relations.ts';
import { type BackupTable, unusable } from './manifest.ts';
import { MeasuredStream } from './measured-stream.ts';

const CHUNK_BYTES = 256 * 1024;

export interface TableSource {
  readonly place: BackupPlace;
  /** The backup. */
  readonly name: string;
}

/**
 * Replaces the rows of one table, in a transaction of its own. Columns that people added to the table are added first.
 *
 * @throws SyncFailure BackupUnusable naming the file that is damaged
 */
export async function loadTable(
  client: pg.Client,
  { place, name }: TableSource,
  table: BackupTable,
  options: { readonly signal?: AbortSignal; readonly onBytes?: (bytes: number) => void } = {},
): Promise<void> {
  const file = await place.open(name, table.file);
  const compressed = new MeasuredStream();
  const content = new MeasuredStream(options.onBytes);
  try {
    await client.query('BEGIN');
    await addColumns(client, table);
    // Emptied in the same transaction, the table gets its rows one behind the other, so that a copy of it is the same.
    await client.query(`TRUNCATE ${tableName(table)}`);
    const statement = `COPY ${tableName(table)} (${columnList(table)}) FROM STDIN (FORMAT binary, FREEZE)`;
    const copy = client.query(copyFrom(statement, { highWaterMark: CHUNK_BYTES }));
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    await pipeline([file, compressed, gunzip, content, copy], { signal: options.signal });
    if (compressed.sha256() !== table.sha256) throw damaged(name, table);
    if (content.sha256() !== table.content_sha256 || copy.rowCount !== table.rows) throw damaged(name, table);
    await client.query('COMMIT');
  } catch (error) {
    options.signal?.throwIfAborted();
    if (await isDamaged(place, name, table)) throw damaged(name, table);
    throw error;
  } finally {
    file.destroy();
  }
}

const damaged = (name: string, { file }: BackupTable) =>
  unusable(name, `${file} is damaged: its content is not what was written`);

/** Whether the file is to blame for an error that loading it led to. */
async function isDamaged(place: BackupPlace, name: string, table: BackupTable): Promise<boolean> {
  const measured = new MeasuredStream();
  measured.resume();
  const file: Readable = await place.open(name, table.file);
  await pipeline([file, measured]);
  return measured.sha256() !== table.sha256;
}

async function addColumns(client: pg.Client, table: BackupTable): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [tableName(table)],
  );
  const there = new Set(rows.map(({ name }) => name));
  for (const { name, type } of table.columns) {
    if (there.has(name)) continue;
    await client.query(
      `ALTER TABLE ${tableName(table)} ADD COLUMN ${columnList({ ...table, columns: [{ name, type }] })} ${type}`,
    );
  }
}
