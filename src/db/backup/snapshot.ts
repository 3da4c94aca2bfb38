import pg from 'pg';

/** Several connections that all see the database as it was at one instant. */
export interface Snapshot {
  readonly clients: readonly pg.Client[];
  /** The instant (ISO). */
  readonly takenAt: string;
  close(): Promise<void>;
}

/**
 * A dump may take hours and must see every row or fail. Where a table has row-level security that applies to this
 * user, it fails. Rows come in the order in which they lie on disk.
 */
const SETTINGS = `
  SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '60s';
  SET row_security = off; SET synchronize_seqscans = off`;
const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Opens `connections` on one snapshot while others go on writing. */
export async function takeSnapshot(databaseUrl: string, connections: number): Promise<Snapshot> {
  const clients: pg.Client[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  };
  try {
    const first = await openClient(databaseUrl, 'durasync backup');
    clients.push(first);
    await first.query(`${SETTINGS}; ${BEGIN}`);
    const { rows } = await first.query<{ id: string; at: Date }>(
      'SELECT pg_export_snapshot() AS id, clock_timestamp() AS at',
    );
    const [snapshot] = rows;
    if (!snapshot) throw new Error('PostgreSQL gave no snapshot');
    for (let more = 1; more < connections; more += 1) {
      const client = await openClient(databaseUrl, 'durasync backup');
      clients.push(client);
      await client.query(`${SETTINGS}; ${BEGIN}; SET TRANSACTION SNAPSHOT '${snapshot.id}'`);
    }
    return { clients, takenAt: snapshot.at.toISOString(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A connection outside the pools, for work that lasts. */
export async function openClient(databaseUrl: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
