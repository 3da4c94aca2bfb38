import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll } from 'vitest';
import { localFolder } from '../../src/connectors/backups/local-folder.ts';
import type { LocalBackupPlace } from '../../src/db/backup/backup-place.ts';
import { createBackup } from '../../src/db/backup/create-backup.ts';
import { findBackup, type FoundBackup } from '../../src/db/backup/list-backups.ts';
import {
  restoreBackup,
  type RestoredBackup,
  type RestoreOptions,
} from '../../src/db/backup/restore-backup.ts';
import { backupName } from '../../src/domain/backups.ts';
import { testEngine } from './engines.ts';
import { TEST_KEYS } from './test-keys.ts';

/** Backups of a test file, in a folder of their own. */
export interface BackupHarness {
  readonly folder: string;
  readonly place: LocalBackupPlace;
  /** Makes a backup and returns it as the list has it. */
  backUp(databaseUrl: string): Promise<FoundBackup>;
  restore(found: FoundBackup, into: string, options?: Partial<RestoreOptions>): Promise<RestoredBackup>;
  /** The address of a database that is not there; it and what replaced it are dropped after the last test. */
  newDatabaseUrl(): Promise<string>;
  asAdmin(statement: string): Promise<Record<string, unknown>[]>;
}

export async function startBackupHarness(): Promise<BackupHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'durasync-test-backups-'));
  const { adminUrl } = await testEngine('/postgres');
  const place = localFolder(folder);
  const names: string[] = [];
  // Names of its own, since test files share a server.
  let seconds = randomInt(1_000_000_000);
  const asAdmin = (statement: string): Promise<Record<string, unknown>[]> => queryOnce(adminUrl, statement);
  afterAll(async () => {
    for (const name of names) {
      const found = await asAdmin(`SELECT datname FROM pg_database WHERE datname ~ '^${name}'`);
      for (const { datname } of found) await asAdmin(`DROP DATABASE "${String(datname)}" WITH (FORCE)`);
    }
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder,
    place,
    asAdmin,
    backUp: async (databaseUrl) => {
      seconds += 1;
      const name = backupName(new Date(seconds * 1_000).toISOString());
      await createBackup({ databaseUrl, place, keys: TEST_KEYS, name, version: 'test' });
      return findBackup([place], TEST_KEYS, name);
    },
    restore: (found, into, options = {}) =>
      restoreBackup({ found, keys: TEST_KEYS, into, liveData: 'refuse', ...options }),
    newDatabaseUrl: async () => {
      const name = `test_restored_${randomBytes(6).toString('hex')}`;
      names.push(name);
      return Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
    },
  };
}

/** The rows of one query through a connection of its own. */
export async function queryOnce(databaseUrl: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(statement)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const OURS = `('durasync', 'fleet', 'commerce', 'sales', 'rentals', 'cars')`;

/** The rows and a checksum of every logged table, computed by PostgreSQL from the rows as text in sorted order. */
export async function checksums(databaseUrl: string): Promise<Record<string, string>> {
  const tables = await queryOnce(
    databaseUrl,
    `SELECT c.oid::regclass::text AS name FROM pg_class c
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.relnamespace::regnamespace::text IN ${OURS}
       AND c.relname <> 'migrations' ORDER BY 1`,
  );
  const sums: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await queryOnce(
      databaseUrl,
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS sum
       FROM ${String(name)} t`,
    );
    sums[String(name)] = String(row?.['sum']);
  }
  return sums;
}

/** Everything of a schema but the rows: constraints, indexes, triggers, policies, rights, views, sequences. */
export async function structure(databaseUrl: string): Promise<Record<string, unknown>[]> {
  return queryOnce(
    databaseUrl,
    `SELECT 'constraint' AS kind, conrelid::regclass::text || ' ' || conname AS name,
            pg_get_constraintdef(oid) || convalidated AS text
     FROM pg_constraint WHERE connamespace::regnamespace::text IN ${OURS}
     UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname IN ${OURS}
     UNION ALL SELECT 'trigger', tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid) || tgenabled::text
     FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT 'policy', tablename || ' ' || policyname, concat(roles, cmd, qual, with_check) FROM pg_policies
     UNION ALL SELECT 'rights', oid::regclass::text, concat(relacl, relrowsecurity, relforcerowsecurity)
     FROM pg_class WHERE relnamespace::regnamespace::text IN ${OURS}
     UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname IN ${OURS}
     UNION ALL SELECT 'sequence', sequencename, last_value::text FROM pg_sequences WHERE schemaname IN ${OURS}
     UNION ALL SELECT 'column', attrelid::regclass || ' ' || attname, format_type(atttypid, atttypmod) || attnotnull
     FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
     WHERE attnum > 0 AND NOT attisdropped AND c.relnamespace::regnamespace::text IN ${OURS}
     ORDER BY 1, 2`,
  );
}
