import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';
import { connectDatabase } from '../../src/db/connect.ts';
import { setSearchPath } from '../../src/db/migrate.ts';
import { type TestDatabase, testEngine } from './engines.ts';

/**
 * A copy of a database that nobody is connected to. Call it in a hook or at the top level of a test file; it is
 * closed and dropped after the file's last test.
 */
export async function copyDatabase(original: string): Promise<TestDatabase> {
  const { adminUrl } = await testEngine('/postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = new URL(original).pathname.slice(1);
  await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const databaseUrl = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const setup = connectDatabase({ databaseUrl, applicationName: 'durasync test' });
  await setSearchPath(setup.db);
  await setup.close();
  const connection = connectDatabase({ databaseUrl, applicationName: 'durasync test' });
  afterAll(async () => {
    await connection.close();
    await asAdmin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  return { ...connection, databaseUrl };
}

async function asAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
