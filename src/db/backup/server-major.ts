import { openClient } from './snapshot.ts';

/** The major version of the PostgreSQL server behind an address. */
export async function serverMajor(databaseUrl: string): Promise<number> {
  const client = await openClient(databaseUrl, 'durasync restore');
  try {
    const { rows } = await client.query<{ version: string }>(
      `SELECT current_setting('server_version_num') AS version`,
    );
    return Math.trunc(Number(rows[0]?.version) / 10_000);
  } finally {
    await client.end();
  }
}
