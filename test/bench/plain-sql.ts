import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type BenchTable, cleanFile, TABLES } from './exports.ts';

/**
 * What somebody would write by hand for each table, through one connection and in one transaction: COPY into a
 * temporary table, then one INSERT.
 *
 * `everything` upserts every row; `differences` joins with the live table first and writes only what differs.
 */
export type PlainWay = 'everything' | 'differences';

/** Loads a night's cleaned files into the live tables of a database that plain SQL has for itself. */
export async function loadPlain(databaseUrl: string, folder: string, way: PlainWay): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const table of TABLES) await loadTable(client, table, cleanFile(folder, table), way);
  } finally {
    await client.end();
  }
}

async function loadTable(client: pg.Client, table: BenchTable, file: string, way: PlainWay): Promise<void> {
  const { key, row } = table.definition;
  const columns = Object.keys(row.shape);
  const content = columns.filter((column) => !key.includes(column));
  const live = `fleet.${table.name}`;
  const list = columns.join(', ');
  await client.query('BEGIN');
  await client.query(`CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT ${list} FROM ${live} WITH NO DATA`);
  const copy = client.query(copyFrom(`COPY incoming (${list}) FROM STDIN (FORMAT csv)`));
  await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), copy);
  await client.query(
    `INSERT INTO ${live} AS l (${list})
     SELECT ${columns.map((column) => `i.${column}`).join(', ')} FROM incoming i
     ${way === 'differences' ? differing(live, key, content) : ''}
     ON CONFLICT (${key.join(', ')}) DO UPDATE
     SET ${content.map((column) => `${column} = excluded.${column}`).join(', ')}, updated_at = now()`,
  );
  await client.query('COMMIT');
}

function differing(live: string, key: readonly string[], content: readonly string[]): string {
  const list = (alias: string): string => content.map((column) => `${alias}.${column}`).join(', ');
  return `LEFT JOIN ${live} o ON ${key.map((column) => `o.${column} = i.${column}`).join(' AND ')}
          WHERE o.${key[0]} IS NULL OR (${list('o')}) IS DISTINCT FROM (${list('i')})`;
}
