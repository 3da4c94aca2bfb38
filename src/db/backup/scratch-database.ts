import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { SyncFailure } from '../../domain/failures.ts';
import { quoted } from './list-relations.ts';
import { openClient } from './snapshot.ts';

/** A database beside the real one, which nobody else knows of. */
export interface ScratchDatabase {
  readonly name: string;
  readonly databaseUrl: string;
  /** Safe to repeat, also after it was renamed. */
  drop(): Promise<void>;
}

/** Scratch databases begin so; one that a killed process left behind is dropped by the next check. */
const PREFIX = 'durasync_scratch_';
const NO_RIGHT = '42501';

export const inDatabase = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${encodeURIComponent(name)}` }).href;

/**
 * Makes an empty database on the server that `adminUrl` leads to, through the database it names.
 *
 * @throws SyncFailure RestoreRefused when the user may not create databases
 */
export async function createScratch(adminUrl: string, backup: string): Promise<ScratchDatabase> {
  const name = `${PREFIX}${Date.now()}_${randomBytes(4).toString('hex')}`;
  const admin = await openClient(adminUrl, 'durasync restore');
  try {
    await dropAbandoned(admin);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    await admin.query(`COMMENT ON DATABASE ${name} IS 'Durasync brings ${backup} back into it'`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === NO_RIGHT) {
      throw new SyncFailure(
        'RestoreRefused',
        'The database user may not create databases, which a restore and its check need. As an administrator: ' +
          'ALTER ROLE <user> CREATEDB; or give another server with --scratch DATABASE_URL.',
      );
    }
    throw error;
  } finally {
    await admin.end();
  }
  return {
    name,
    databaseUrl: inDatabase(adminUrl, name),
    drop: async () => {
      const client = await openClient(adminUrl, 'durasync restore');
      await client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`).finally(() => client.end());
    },
  };
}

const ABANDONED_MS = 24 * 3_600_000;

/** Drops scratch databases that are a day old and that nobody is connected to. */
async function dropAbandoned(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database d
     WHERE datname ~ '^${PREFIX}[0-9]+_' AND pg_catalog.pg_has_role(datdba, 'MEMBER')
       AND split_part(datname, '_', 3)::bigint < $1
       AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)`,
    [Date.now() - ABANDONED_MS],
  );
  for (const { name } of rows) await admin.query(`DROP DATABASE IF EXISTS ${quoted(name)}`);
}
