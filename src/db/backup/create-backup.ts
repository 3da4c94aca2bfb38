import { MANIFEST_FILE } from '../../domain/backups.ts';
import type { KeyRing } from '../../key-ring.ts';
import type { BackupDraft, LocalBackupPlace } from './backup-place.ts';
import { dumpTable } from './dump-table.ts';
import { inTurns } from './in-turns.ts';
import { listClientViews, listKeyIds, listMigrations, listSequences, listTables } from './list-relations.ts';
import { type BackupTable, type Manifest, readManifest, writeManifest } from './manifest.ts';
import { takeSnapshot } from './snapshot.ts';

/** What the making, checking or restoring of a backup has done so far. */
export interface BackupProgress {
  readonly tables: number;
  readonly tablesDone: number;
  readonly rows: number;
  /** Before compression. */
  readonly bytes: number;
}

export interface CreateBackupOptions {
  readonly databaseUrl: string;
  readonly place: LocalBackupPlace;
  readonly keys: KeyRing;
  readonly name: string;
  readonly version: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

const CONNECTIONS = 2;

/**
 * Copies every table of one snapshot into compressed files while others go on writing, and makes them a backup in one
 * step. A failure leaves nothing behind. Safe to repeat: a backup of this name that is whole is returned as it is.
 *
 * @throws SyncFailure BackupPlaceFull, BackupPlaceRefused
 */
export async function createBackup(options: CreateBackupOptions): Promise<Manifest> {
  const { place, keys, name } = options;
  if ((await place.list()).some((each) => each.name === name && each.files.has(MANIFEST_FILE))) {
    return readManifest(name, await place.readText(name, MANIFEST_FILE), keys);
  }
  const draft = await place.begin(name);
  try {
    const manifest = await dumpDatabase(options, draft);
    const text = writeManifest(manifest, keys);
    await draft.finish(MANIFEST_FILE, text);
    return readManifest(name, text, keys);
  } catch (error) {
    await draft.discard();
    throw draft.explain(error);
  }
}

async function dumpDatabase(
  { databaseUrl, keys, name, version, signal, onProgress }: CreateBackupOptions,
  draft: BackupDraft,
): Promise<Omit<Manifest, 'format'>> {
  const snapshot = await takeSnapshot(databaseUrl, CONNECTIONS);
  try {
    const [client] = snapshot.clients;
    if (!client) throw new Error('there is no connection');
    const listed = await listTables(client);
    const tables: BackupTable[] = [];
    let bytes = 0;
    const report = (): void => {
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      onProgress?.({ tables: listed.length, tablesDone: tables.length, rows, bytes });
    };
    const described = {
      sequences: await listSequences(client),
      client_views: await listClientViews(client),
      migrations: await listMigrations(client),
      key_ids: await listKeyIds(client),
      ...(await readServer(client)),
    };
    report();
    await inTurns(snapshot.clients, listed, signal, async (connection, table, stop) => {
      const file = `tables/${fileName(table)}`;
      const onBytes = (more: number): void => {
        bytes += more;
      };
      tables.push(await dumpTable(connection, table, file, draft.create(file), { signal: stop, onBytes }));
      report();
    });
    return {
      ...described,
      name,
      created_at: snapshot.takenAt,
      durasync_version: version,
      schema_version: described.migrations.at(-1) ?? '',
      key_ids: [...new Set([...described.key_ids, keys.keyId])].toSorted(),
      rows: tables.reduce((sum, table) => sum + table.rows, 0),
      bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
      tables: tables.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
    };
  } finally {
    await snapshot.close();
  }
}

const fileName = ({ schema, name }: { readonly schema: string; readonly name: string }): string =>
  `${encodeURIComponent(`${schema}.${name}`)}.copy.gz`;

async function readServer(client: {
  query(text: string): Promise<{ rows: { database: string; version: string }[] }>;
}): Promise<Pick<Manifest, 'database' | 'postgres_major'>> {
  const { rows } = await client.query(
    `SELECT current_database() AS database, current_setting('server_version_num') AS version`,
  );
  return {
    database: rows[0]?.database ?? '',
    postgres_major: Math.trunc(Number(rows[0]?.version) / 10_000),
  };
}
