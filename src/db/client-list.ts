import { sql } from 'kysely';
import type { Platform } from '../domain/clients.ts';
import type { Db } from './connect.ts';

/** One connection of a client to a shop, without its secrets. Times are instants (ISO). */
export interface ConnectionRow {
  readonly credential_id: string;
  readonly platform_type: Platform;
  readonly connection_name: string;
  readonly sync_frequency_hours: number;
  readonly status: 'pending' | 'connected' | 'error' | 'expired' | 'revoked';
  readonly last_sync_at: string | null;
  /** The next attempt; of a paused connection, when it would be. */
  readonly next_sync_at: string;
  readonly error_message: string | null;
  readonly paused: boolean;
  readonly paused_reason: string | null;
}

export interface ClientRow {
  readonly client_id: string;
  readonly name: string;
  /** False once it was removed; its data is kept until it is purged. */
  readonly active: boolean;
  readonly view_name: string;
  readonly created_at: string;
  readonly connections: readonly ConnectionRow[];
}

/** How one run of a connection ended. */
export interface ClientResultRow {
  readonly run_id: string;
  readonly platform_type: Platform;
  readonly connection_name: string;
  readonly started_at: string;
  readonly sync_duration_seconds: number;
  readonly success: boolean;
  readonly records_fetched: number;
  readonly records_processed: number;
  readonly records_stored: number;
  readonly data_types_synced: readonly string[];
  readonly sync_triggered_by: string;
  readonly error_message: string | null;
}

export interface RecordCount {
  readonly platform: Platform;
  readonly data_type: string;
  readonly records: number;
}

export interface ClientCounts {
  readonly active: number;
  /** Active clients with a connection whose last run failed, and with a paused one. */
  readonly failing: number;
  readonly paused: number;
}

export interface ClientFilter {
  /** Only clients behind this id. */
  readonly after?: string;
  readonly limit: number;
}

type Dated<T, Names extends keyof T> = Omit<T, Names> & { [Name in Names]: Date };
type PlainClient = Omit<ClientRow, 'connections'>;

/** Clients by id with their connections, removed ones too. */
export async function listClients(db: Db, { after = '', limit }: ClientFilter): Promise<ClientRow[]> {
  const { rows } = await sql<Dated<PlainClient, 'created_at'>>`
    SELECT client_id, name, active, view_name, created_at FROM commerce.clients
    WHERE client_id > ${after} ORDER BY client_id LIMIT ${limit}`.execute(db);
  return withConnections(db, rows);
}

/** A client with its connections, or null. */
export async function findClient(db: Db, clientId: string): Promise<ClientRow | null> {
  const { rows } = await sql<Dated<PlainClient, 'created_at'>>`
    SELECT client_id, name, active, view_name, created_at FROM commerce.clients
    WHERE client_id = ${clientId}`.execute(db);
  return (await withConnections(db, rows))[0] ?? null;
}

type PlainConnection = Omit<ConnectionRow, 'last_sync_at' | 'next_sync_at'> & {
  readonly client_id: string;
  readonly last_sync_at: Date | null;
  readonly next_sync_at: Date;
};

async function withConnections(
  db: Db,
  clients: readonly Dated<PlainClient, 'created_at'>[],
): Promise<ClientRow[]> {
  const { rows } = await sql<PlainConnection>`
    SELECT client_id, credential_id, platform_type, connection_name, sync_frequency_hours, status, last_sync_at,
           next_sync_at, error_message, paused, paused_reason
    FROM commerce.client_api_credentials
    WHERE client_id = ANY(${clients.map((client) => client.client_id)})
    ORDER BY platform_type DESC, connection_name`.execute(db);
  const byClient = new Map<string, ConnectionRow[]>(clients.map(({ client_id: id }) => [id, []]));
  for (const { client_id: id, last_sync_at, next_sync_at, ...row } of rows) {
    byClient.get(id)?.push({
      ...row,
      last_sync_at: last_sync_at?.toISOString() ?? null,
      next_sync_at: next_sync_at.toISOString(),
    });
  }
  return clients.map((client) => ({
    ...client,
    created_at: client.created_at.toISOString(),
    connections: byClient.get(client.client_id) ?? [],
  }));
}

/** The last runs of a client's connections, newest first. */
export async function listClientResults(db: Db, clientId: string, limit: number): Promise<ClientResultRow[]> {
  const { rows } = await sql<Dated<ClientResultRow, 'started_at'>>`
    SELECT run_id, platform_type, connection_name, started_at, sync_duration_seconds, success, records_fetched,
           records_processed, records_stored, data_types_synced, sync_triggered_by, error_message
    FROM commerce.client_api_sync_results WHERE client_id = ${clientId}
    ORDER BY started_at DESC LIMIT ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, started_at: row.started_at.toISOString() }));
}

/** Whether the workflow of a client has recorded how a run ended. */
export async function isClientRunRecorded(db: Db, runId: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM commerce.client_api_sync_results WHERE run_id = ${runId}`.execute(db);
  return rows.length > 0;
}

/** How many records a client has, by platform and data type. */
export async function countRecords(db: Db, clientId: string): Promise<RecordCount[]> {
  const { rows } = await sql<RecordCount>`
    SELECT platform, data_type, count(*) AS records FROM commerce.client_data
    WHERE client_id = ${clientId} GROUP BY platform, data_type ORDER BY platform DESC, data_type`.execute(db);
  return rows;
}

export async function countClients(db: Db): Promise<ClientCounts> {
  const { rows } = await sql<ClientCounts>`
    SELECT count(*) AS active, count(*) FILTER (WHERE failing) AS failing, count(*) FILTER (WHERE paused) AS paused
    FROM commerce.clients c, LATERAL (
      SELECT bool_or(status IN ('error', 'expired', 'revoked')) AS failing, bool_or(paused) AS paused
      FROM commerce.client_api_credentials k WHERE k.client_id = c.client_id) k
    WHERE active`.execute(db);
  return rows[0] ?? { active: 0, failing: 0, paused: 0 };
}
