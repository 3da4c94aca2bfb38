import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Database } from './types.ts';

export type Db = Kysely<Database>;

/** The pool for COPY and long transactions on one connection, and Kysely over the same pool for everything else. */
export interface DatabaseConnection {
  readonly databaseUrl: string;
  readonly db: Db;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly databaseUrl: string;
  /** Shown in pg_stat_activity, such as 'durasync worker'. */
  readonly applicationName: string;
  readonly maxConnections?: number;
  /** Told when an idle connection breaks, as when PostgreSQL restarts; the pool replaces it by itself. */
  readonly onIdleError?: (error: Error) => void;
}

const LOCK_TIMEOUT_MS = 30_000;
const INT8 = 20;
const DATE = 1082;

/** Counts become numbers (they stay far below 2^53) and dates stay text, free of any time zone. */
const typeParsers = new pg.TypeOverrides();
typeParsers.setTypeParser(INT8, Number);
typeParsers.setTypeParser(DATE, (text) => text);

/** Opens a pool; connections are made when first needed. */
export function connectDatabase(options: ConnectOptions): DatabaseConnection {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.maxConnections ?? 12,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // A step that waits for somebody else's lock gives up and is tried again, so that it notices a cancellation.
    lock_timeout: LOCK_TIMEOUT_MS,
    types: typeParsers,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  // A connection that breaks under a query also emits an error, which would end the process if nobody listened.
  // The query's own rejection tells whoever waits for it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { databaseUrl: options.databaseUrl, db, pool, close: () => db.destroy() };
}

/** A worker that is frozen in a transaction must not keep a table's lock from the next one for ever. */
const BEGIN = `BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'`;

/**
 * Runs `work` in one transaction on one connection of its own; any error rolls back.
 *
 * @param options synchronousCommit: `off` where a crash may lose the commit as long as it loses all of it
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  options: { readonly synchronousCommit?: 'off' } = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query(options.synchronousCommit ? `${BEGIN}; SET LOCAL synchronous_commit = off` : BEGIN);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Lets the rest of a transaction sort and hash what fits into this, instead of going through files. */
export async function allowMemory(tx: Db): Promise<void> {
  await sql`SELECT set_config('work_mem', '64MB', true)
            WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')`.execute(tx);
}
