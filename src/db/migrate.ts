import { readdir, readFile } from 'node:fs/promises';
import { sql, type Kysely, type Migration, type MigrationProvider, Migrator } from 'kysely';
import { connectDatabase, type Db } from './connect.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);

/** Plain SQL files, applied in the order of their names, each once. */
const sqlFiles: MigrationProvider = {
  async getMigrations() {
    const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql'));
    const migrations: Record<string, Migration> = {};
    for (const name of names) {
      const text = await readFile(new URL(name, MIGRATIONS), 'utf8');
      migrations[name.replace('.sql', '')] = {
        up: async (db: Kysely<unknown>) => void (await sql.raw(text).execute(db)),
      };
    }
    return migrations;
  },
};

/** The schemas with tables of ours; those of unlogged and staging tables aside. */
export const SCHEMAS = ['durasync', 'fleet', 'commerce', 'sales', 'rentals', 'cars'] as const;

/** The names of all migrations, oldest first. The last one is the newest schema version. */
export const migrationNames = async (): Promise<string[]> =>
  Object.keys(await sqlFiles.getMigrations()).toSorted();

/**
 * Makes `SELECT count(*) FROM vehicles` work for everyone who connects from now on. A setting of the
 * database, so a copy made from a template has to be given it again.
 */
export async function setSearchPath(db: Db): Promise<void> {
  await sql`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, ${sql.raw(SCHEMAS.join(', '))}', current_database());
  END $$`.execute(db);
}

/**
 * Brings a database to the newest schema version and returns the names of the migrations it applied.
 * Safe to repeat, also from several processes at once.
 *
 * @param warn told what a migration could not do and what to do about it
 * @param version the last migration to apply; the newest when left away
 * @throws the first migration's error; that migration is rolled back, earlier ones stay
 */
export async function migrateToLatest(
  databaseUrl: string,
  warn: (message: string) => void = () => undefined,
  version?: string,
): Promise<string[]> {
  const connection = connectDatabase({ databaseUrl, applicationName: 'durasync migrate', maxConnections: 2 });
  connection.pool.on('connect', (client) =>
    client.on('notice', ({ severity, message, hint }) => {
      if (severity === 'WARNING') warn([message, hint].filter(Boolean).join(' '));
    }),
  );
  try {
    const migrator = new Migrator({
      db: connection.db,
      provider: sqlFiles,
      migrationTableSchema: 'durasync',
      migrationTableName: 'migrations',
      migrationLockTableName: 'migrations_lock',
    });
    const { error, results = [] } = await (version === undefined
      ? migrator.migrateToLatest()
      : migrator.migrateTo(version));
    if (error) throw error;
    await setSearchPath(connection.db);
    // An older version may not know the roles yet; it is not one to work with.
    if (version === undefined) await sql`SELECT durasync.grant_roles()`.execute(connection.db);
    return results.filter((result) => result.status === 'Success').map((result) => result.migrationName);
  } finally {
    await connection.close();
  }
}
