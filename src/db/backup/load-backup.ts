import type pg from 'pg';
import { migrateToLatest } from '../migrate.ts';
import type { BackupProgress } from './create-backup.ts';
import { measureTable } from './dump-table.ts';
import { inTurns } from './in-turns.ts';
import { listTables, tableName } from './list-relations.ts';
import type { FoundBackup } from './list-backups.ts';
import { loadTable } from './load-table.ts';
import { type BackupTable, type Manifest, unusable } from './manifest.ts';
import { setAside } from './set-aside.ts';
import { openClient } from './snapshot.ts';

export interface LoadOptions {
  /** Empty. What a failure leaves in it is of no use. */
  readonly databaseUrl: string;
  readonly found: FoundBackup;
  /** Whether every table is copied out again and compared with what was backed up. */
  readonly check: 'compare' | 'trust';
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

const CONNECTIONS = 2;
const SETTINGS = `
  SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off;
  SET row_security = off; SET synchronize_seqscans = off; SET maintenance_work_mem = '256MB'`;

/**
 * Brings an empty database to the schema version of a backup and loads all of it: rows, sequences and constraints.
 * Returns sentences about tables that no migration makes, which stay in the backup.
 *
 * @throws SyncFailure BackupUnusable naming what is damaged or differs
 */
export async function loadBackup(options: LoadOptions): Promise<string[]> {
  const { databaseUrl, found, check, signal, onProgress } = options;
  const { manifest, place } = found;
  await migrateToLatest(databaseUrl, undefined, manifest.schema_version);
  const clients: pg.Client[] = [];
  try {
    for (let each = 0; each < CONNECTIONS; each += 1) {
      clients.push(await openClient(databaseUrl, 'durasync restore'));
      await clients[each]?.query(SETTINGS);
    }
    const [client] = clients;
    if (!client) throw new Error('there is no connection');
    const ours = new Set((await listTables(client)).map(tableName));
    const known = manifest.tables.filter((table) => ours.has(tableName(table)));
    const putBack = await setAside(client);
    const done: BackupTable[] = [];
    let bytes = 0;
    await inTurns(clients, largestFirst(known), signal, async (connection, table, stop) => {
      const onBytes = (more: number): void => {
        bytes += more;
      };
      await loadTable(connection, { place, name: manifest.name }, table, { signal: stop, onBytes });
      if (check === 'compare') await compare(connection, manifest.name, table, stop);
      done.push(table);
      const rows = done.reduce((sum, each) => sum + each.rows, 0);
      onProgress?.({ tables: known.length, tablesDone: done.length, rows, bytes });
    });
    for (const statement of putBack) await client.query(statement);
    await setSequences(client, manifest);
    return manifest.tables
      .filter((table) => !known.includes(table))
      .map(
        (table) =>
          `${tableName(table)} is no table of Durasync, so its ${table.rows} rows stay in the backup.`,
      );
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

const largestFirst = (tables: readonly BackupTable[]): BackupTable[] =>
  tables.toSorted((a, b) => b.bytes - a.bytes);

async function compare(
  client: pg.Client,
  name: string,
  table: BackupTable,
  signal: AbortSignal,
): Promise<void> {
  const { rows, sha256 } = await measureTable(client, table, signal);
  if (rows !== table.rows) {
    throw unusable(name, `${tableName(table)} has ${rows} rows after the restore instead of ${table.rows}`);
  }
  if (sha256 !== table.content_sha256) {
    throw unusable(name, `the rows of ${tableName(table)} differ after the restore`);
  }
}

async function setSequences(client: pg.Client, { sequences }: Manifest): Promise<void> {
  for (const sequence of sequences) {
    if (sequence.last_value === null) continue;
    await client.query('SELECT setval(to_regclass($1), $2) WHERE to_regclass($1) IS NOT NULL', [
      tableName(sequence),
      sequence.last_value,
    ]);
  }
}
