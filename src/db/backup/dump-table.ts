import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type DumpedTable, quoted, tableName } from './list-relations.ts';
import type { BackupTable } from './manifest.ts';
import { MeasuredStream } from './measured-stream.ts';

/** The fastest level: what the others save in size they cost many times over in time. */
const GZIP = { level: 1, chunkSize: 128 * 1024 };
const BUFFER_BYTES = 256 * 1024;

const copyOut = (table: DumpedTable): string =>
  `COPY ${tableName(table)} (${columnList(table)}) TO STDOUT (FORMAT binary)`;

export const columnList = ({ columns }: DumpedTable): string =>
  columns.map(({ name }) => quoted(name)).join(', ');

/** Streams one table into a compressed file, as the connection's snapshot shows it. */
export async function dumpTable(
  client: pg.Client,
  table: DumpedTable,
  file: string,
  target: Writable,
  options: { readonly signal?: AbortSignal; readonly onBytes?: (bytes: number) => void } = {},
): Promise<BackupTable> {
  const copy = client.query(copyTo(copyOut(table), { highWaterMark: BUFFER_BYTES }));
  const content = new MeasuredStream(options.onBytes);
  const compressed = new MeasuredStream();
  await pipeline([copy, content, createGzip(GZIP), compressed, target], { signal: options.signal });
  return {
    schema: table.schema,
    name: table.name,
    columns: table.columns,
    rows: copy.rowCount,
    file,
    bytes: compressed.bytes,
    sha256: compressed.sha256(),
    content_sha256: content.sha256(),
  };
}

/** What a dump of the table would hold, without keeping it. */
export async function measureTable(
  client: pg.Client,
  table: DumpedTable,
  signal?: AbortSignal,
): Promise<{ readonly rows: number; readonly sha256: string }> {
  const copy = client.query(copyTo(copyOut(table), { highWaterMark: BUFFER_BYTES }));
  const content = new MeasuredStream();
  content.resume();
  await pipeline([copy, content], { signal });
  return { rows: copy.rowCount, sha256: content.sha256() };
}
