import pg from 'pg';
import { SyncFailure } from '../../domain/failures.ts';
import { quoted } from './list-relations.ts';
import { inDatabase } from './scratch-database.ts';
import { openClient } from './snapshot.ts';

/** What is in the database that a restore shall replace. */
export interface Target {
  readonly name: string;
  readonly databaseUrl: string;
  /** Of another database on the same server, since none can be renamed from inside. */
  readonly adminUrl: string;
  readonly exists: boolean;
  /** Tables with rows, such as 'fleet.vehicles'; those of migrations aside. */
  readonly tablesWithRows: readonly string[];
}

const NO_DATABASE = '3D000';

/** Looks at the database an address names. @throws SyncFailure RestoreRefused when it names none that can be replaced */
export async function inspectTarget(databaseUrl: string): Promise<Target> {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  if (name === '' || /^(postgres|template[01])$/.test(name)) {
    throw new SyncFailure(
      'RestoreRefused',
      `--into must name a database of its own, not '${name}': postgres://user:password@host:5432/durasync`,
    );
  }
  const adminUrl = await findAdminUrl(databaseUrl);
  const described = { name, databaseUrl, adminUrl };
  const client = await openClient(databaseUrl, 'durasync restore').catch((error: unknown) => {
    if (error instanceof pg.DatabaseError && error.code === NO_DATABASE) return null;
    throw error;
  });
  if (!client) return { ...described, exists: false, tablesWithRows: [] };
  try {
    return { ...described, exists: true, tablesWithRows: await listTablesWithRows(client) };
  } finally {
    await client.end();
  }
}

async function findAdminUrl(databaseUrl: string): Promise<string> {
  let lastError: unknown;
  for (const name of ['postgres', 'template1']) {
    const url = inDatabase(databaseUrl, name);
    try {
      await (await openClient(url, 'durasync restore')).end();
      return url;
    } catch (error) {
      lastError = error;
      if (!(error instanceof pg.DatabaseError)) throw error;
    }
  }
  throw lastError;
}

async function listTablesWithRows(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, tablename AS name FROM pg_tables
     WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
       AND NOT (schemaname = 'durasync' AND tablename LIKE 'migrations%') ORDER BY 1, 2`,
  );
  const found: string[] = [];
  for (const { schema, name } of rows) {
    const { rowCount } = await client.query(`SELECT 1 FROM ${quoted(schema)}.${quoted(name)} LIMIT 1`);
    if (rowCount) found.push(`${schema}.${name}`);
  }
  return found;
}
