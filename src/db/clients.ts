import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { ClientState, CredentialState, Platform } from '../domain/clients.ts';
import { SyncFailure } from '../domain/failures.ts';
import { isUuid } from '../domain/ids.ts';
import type { KeyRing } from '../key-ring.ts';
import { makeClientView } from './client-views.ts';
import type { Db } from './connect.ts';

const HOUR_MS = 3_600_000;
/** First runs are spread over at most this, so that a thousand new clients do not start together. */
const SPREAD_MAX_MS = HOUR_MS;
/** Ten years: an instant that far ahead still fits every clock that has to count to it. */
const FREQUENCY_MAX_HOURS = 87_600;
const FREQUENCY_MIN_HOURS = 1 / 3_600;
const CLIENT_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const NAME_BYTES_MAX = 63;

export interface NewCredential {
  readonly clientId: string;
  readonly platform: Platform;
  readonly connectionName: string;
  /** The secrets as JSON text; sealed before they reach the database. */
  readonly credentials: string;
  readonly frequencyHours: number;
}

/**
 * The view of a client's data: lower case, other characters than letters and digits as `_`. When that loses
 * more than a `-`, six digits of a hash keep it apart.
 */
export function viewName(clientId: string, taken: boolean): string {
  const mapped = clientId.toLowerCase().replace(/[^a-z0-9]/g, '_');
  const lossless = mapped === clientId.replaceAll('-', '_');
  const plain = `client_${mapped}_data`;
  if (lossless && !taken && plain.length <= NAME_BYTES_MAX) return plain;
  const hash = createHash('sha256').update(clientId).digest('hex').slice(0, 6);
  const room = NAME_BYTES_MAX - `client__${hash}_data`.length;
  return `client_${mapped.slice(0, room)}_${hash}_data`;
}

/**
 * Adds a client and its view, or renames and activates the one that is there. Safe to repeat.
 *
 * @throws SyncFailure InvalidInput for an id with other characters than letters, digits, `.`, `_`, `:`, `-`
 */
export async function addClient(db: Db, clientId: string, name: string): Promise<void> {
  if (!CLIENT_ID.test(clientId)) {
    throw new SyncFailure(
      'InvalidInput',
      `'${clientId}' can't be a client id: use 1 to 128 letters, digits, '.', '_', ':' or '-'.`,
    );
  }
  await db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtext('commerce.clients'))`.execute(tx);
    const plain = viewName(clientId, false);
    const { rows } = await sql`SELECT 1 FROM commerce.clients
      WHERE view_name = ${plain} AND client_id <> ${clientId}`.execute(tx);
    const added = await sql<{ view_name: string }>`
      INSERT INTO commerce.clients (client_id, name, view_name)
      VALUES (${clientId}, ${name}, ${viewName(clientId, rows.length > 0)})
      ON CONFLICT (client_id) DO UPDATE SET name = excluded.name, active = true
      RETURNING view_name`.execute(tx);
    for (const { view_name } of added.rows) await makeClientView(tx, clientId, view_name);
  });
}

/**
 * Adds a connection to a shop, or replaces its secrets and frequency. The first run comes after a delay that
 * the id decides, within the frequency or an hour; one that was refused for its old secrets is tried at once, also
 * when it was paused for that. Safe to repeat.
 *
 * @returns the credential's id
 */
export async function addCredential(db: Db, keys: KeyRing, added: NewCredential): Promise<string> {
  checkFrequency(added.frequencyHours);
  const { clientId, platform, connectionName } = added;
  const spreadMs = Math.min(added.frequencyHours * HOUR_MS, SPREAD_MAX_MS);
  const delayMs = spread(`${clientId}/${platform}/${connectionName}`, spreadMs);
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ credential_id: string }>`
      INSERT INTO commerce.client_api_credentials AS c
        (client_id, platform_type, connection_name, credentials, sync_frequency_hours, next_sync_at, due_at)
      VALUES (${clientId}, ${platform}, ${connectionName}, '', ${added.frequencyHours},
              now() + make_interval(secs => ${delayMs / 1000}), now() + make_interval(secs => ${delayMs / 1000}))
      ON CONFLICT (client_id, platform_type, connection_name) DO UPDATE
      SET ${frequencyChange(added.frequencyHours)}, status = 'pending', error_message = NULL
      RETURNING credential_id`.execute(tx);
    const id = rows[0]?.credential_id ?? '';
    await sql`UPDATE commerce.client_api_credentials
      SET credentials = ${keys.seal(added.credentials, id)}, ${FORGIVEN},
          paused = paused AND paused_by IS DISTINCT FROM 'refusals',
          paused_reason = CASE WHEN paused_by = 'refusals' THEN NULL ELSE paused_reason END,
          paused_by = CASE WHEN paused_by = 'refusals' THEN NULL ELSE paused_by END
      WHERE credential_id = ${id}`.execute(tx);
    return id;
  });
}

/** Assignments that begin anew with a connection that was not let in: it is tried at once. */
const FORGIVEN = sql`refusals = 0, refused_since = NULL,
  next_sync_at = CASE WHEN refused_since IS NULL THEN next_sync_at ELSE least(next_sync_at, now()) END`;

/** Lets a connection be due now. Safe to repeat. */
export async function makeDue(db: Db, credentialId: string): Promise<void> {
  await sql`UPDATE commerce.client_api_credentials
    SET due_at = now(), next_sync_at = now(), updated_at = clock_timestamp()
    WHERE credential_id = ${credentialId}`.execute(db);
}

/** A number below `maxMs` that depends on the text alone. */
function spread(text: string, maxMs: number): number {
  return (createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32) * maxMs;
}

/** @throws SyncFailure InvalidInput for a frequency that can't be kept */
export function checkFrequency(hours: number): void {
  if (hours >= FREQUENCY_MIN_HOURS && hours <= FREQUENCY_MAX_HOURS) return;
  throw new SyncFailure(
    'InvalidInput',
    `A frequency of ${hours} hours can't be kept: it must be more than 0, at least a second and at most ten years.`,
  );
}

/**
 * Assignments that change the frequency of the connection `c`: its next due time counts from the last one, or
 * from now when none has come yet. A retry that comes earlier stays. The same frequency changes nothing.
 */
const frequencyChange = (hours: number): RawBuilder<unknown> => sql`
  (sync_frequency_hours, due_at, next_sync_at, updated_at) = (
    SELECT ${hours}::double precision, due,
           CASE WHEN c.next_sync_at < c.due_at THEN least(c.next_sync_at, due) ELSE due END, clock_timestamp()
    FROM (SELECT CASE
            WHEN c.sync_frequency_hours = ${hours} THEN c.due_at
            WHEN EXISTS (SELECT 1 FROM commerce.client_api_sync_results r WHERE r.client_id = c.client_id
                         AND r.credential_id = c.credential_id AND r.sync_triggered_by = 'schedule')
              THEN c.due_at + make_interval(secs => 3600 * (${hours} - c.sync_frequency_hours))
            ELSE now() + make_interval(secs => 3600 * ${hours}::double precision)
          END AS due) d)`;

/** The connections of an active client, or null; remembers that its workflow has seen them. */
export const readClientState = (db: Db, clientId: string): Promise<ClientState | null> =>
  readStateOf(db, sql`${clientId}`);

/** As `readClientState`, for the client of a connection; null also when that is gone. */
export const readStateOfOwner = (db: Db, credentialId: string): Promise<ClientState | null> =>
  readStateOf(
    db,
    sql`(SELECT client_id FROM commerce.client_api_credentials WHERE ${isCredential(credentialId)})`,
  );

async function readStateOf(db: Db, clientId: RawBuilder<unknown>): Promise<ClientState | null> {
  type Row = Omit<CredentialState, 'nextSyncAt'> & { clientId: string; appliedAt: Date; nextSyncAt: Date };
  const { rows } = await sql<Row>`
    WITH seen AS (
      UPDATE commerce.clients c SET applied_at = coalesce(
        (SELECT max(updated_at) FROM commerce.client_api_credentials WHERE client_id = c.client_id), c.created_at)
      WHERE client_id = ${clientId} AND active RETURNING client_id, applied_at
    )
    SELECT client_id AS "clientId", applied_at AS "appliedAt",
           credential_id AS "credentialId", platform_type AS platform, connection_name AS "connectionName",
           sync_frequency_hours AS "frequencyHours", next_sync_at AS "nextSyncAt",
           CASE WHEN paused THEN coalesce(paused_reason, 'paused') END AS "pausedReason"
    FROM seen LEFT JOIN commerce.client_api_credentials USING (client_id) ORDER BY credential_id`.execute(db);
  const [first] = rows;
  if (!first) return null;
  return {
    clientId: first.clientId,
    appliedAt: first.appliedAt.toISOString(),
    credentials: rows
      .filter(({ credentialId }) => credentialId !== null)
      .map(({ credentialId, platform, connectionName, frequencyHours, nextSyncAt, pausedReason }) => ({
        credentialId,
        platform,
        connectionName,
        frequencyHours,
        nextSyncAt: nextSyncAt.toISOString(),
        pausedReason,
      })),
  };
}

/** Whether a row is of this connection. What is no id at all, is that of none. */
export const isCredential = (credentialId: string): RawBuilder<boolean> =>
  sql`credential_id = ${isUuid(credentialId) ? credentialId : null}`;

/**
 * Pauses (with a reason) or resumes (null) all connections of a client; resumed ones whose credentials were refused
 * are tried at once. Safe to repeat.
 */
export async function setClientPaused(db: Db, clientId: string, reason: string | null): Promise<void> {
  const change =
    reason === null
      ? sql`paused = false, paused_reason = NULL, paused_by = NULL, ${FORGIVEN}`
      : sql`paused = true, paused_reason = ${reason}, paused_by = 'person'`;
  await sql`UPDATE commerce.client_api_credentials SET ${change}, updated_at = clock_timestamp()
    WHERE client_id = ${clientId}`.execute(db);
}

/**
 * A changed frequency counts from the last due time; before the first one, from now. Safe to repeat.
 *
 * @returns how many connections it is for
 * @throws SyncFailure InvalidInput
 */
export async function setClientFrequency(
  db: Db,
  clientId: string,
  hours: number,
  platform: Platform | undefined,
): Promise<number> {
  checkFrequency(hours);
  const result = await sql`
    UPDATE commerce.client_api_credentials c SET ${frequencyChange(hours)}
    WHERE client_id = ${clientId} AND (${platform ?? null}::text IS NULL OR platform_type = ${platform ?? null})`.execute(
    db,
  );
  return Number(result.numAffectedRows ?? 0);
}

/** A connection with its sealed secrets. */
export interface SealedCredential {
  readonly credential_id: string;
  readonly client_id: string;
  readonly platform_type: Platform;
  readonly credentials: string;
}

/** @throws SyncFailure InvalidInput when there is no such connection */
export async function readCredential(db: Db, credentialId: string): Promise<SealedCredential> {
  const { rows } = await sql<SealedCredential>`
    SELECT credential_id, client_id, platform_type, credentials FROM commerce.client_api_credentials
    WHERE ${isCredential(credentialId)}`.execute(db);
  if (!rows[0])
    throw new SyncFailure('InvalidInput', `There is no connection ${credentialId}: it was removed.`);
  return rows[0];
}

const PAGE_CLIENTS = 500;

export interface ClientPage {
  readonly active: readonly string[];
  /** Active ones with a connection that is newer than what their workflow has seen. */
  readonly changed: readonly string[];
  /** Where the next page begins; null behind the last one. */
  readonly last: string | null;
}

/** Clients by id, 500 at a time. */
export async function listClientPage(db: Db, after: string | null): Promise<ClientPage> {
  const { rows } = await sql<{ client_id: string; active: boolean; changed: boolean }>`
    SELECT c.client_id, c.active,
           EXISTS (SELECT 1 FROM commerce.client_api_credentials k
                   WHERE k.client_id = c.client_id AND (c.applied_at IS NULL OR k.updated_at > c.applied_at)) AS changed
    FROM commerce.clients c WHERE c.client_id > ${after ?? ''} ORDER BY c.client_id LIMIT ${PAGE_CLIENTS}`.execute(
    db,
  );
  const idsOf = (wanted: (row: (typeof rows)[number]) => boolean): string[] =>
    rows.filter(wanted).map((row) => row.client_id);
  return {
    active: idsOf(({ active }) => active),
    changed: idsOf(({ active, changed }) => active && changed),
    last: rows.length < PAGE_CLIENTS ? null : (rows.at(-1)?.client_id ?? null),
  };
}
