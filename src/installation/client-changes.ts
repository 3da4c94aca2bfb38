import { audit } from '../db/audit.ts';
import { type ClientRow, type ConnectionRow, findClient } from '../db/client-list.ts';
import { deactivateClient } from '../db/client-removal.ts';
import * as clients from '../db/clients.ts';
import type { Platform } from '../domain/clients.ts';
import { SyncFailure } from '../domain/failures.ts';
import { parseCredentials } from '../syncs/commerce/parse-credentials.ts';
import { clientWorkflows } from '../temporal/clients.ts';
import type { Session } from './session.ts';

/** Who changes something, for the audit log. */
export interface Changer {
  readonly actor: string;
  readonly tokenId?: string;
}

export interface NewConnection {
  readonly clientId: string;
  readonly platform: Platform;
  readonly connectionName: string;
  /** As a person gave them, not checked yet. */
  readonly credentials: unknown;
  /** When absent, that of the connection that is replaced, or a day. */
  readonly frequencyHours?: number;
}

/** There is no such client, or it was removed. */
export class UnknownClientError extends Error {
  override readonly name = 'UnknownClientError';

  constructor(
    clientId: string,
    state = 'does not exist. See those there are with: npx durasync clients list',
  ) {
    super(`Client '${clientId}' ${state}`);
  }
}

const FREQUENCY_HOURS = 24;
const NAME_MAX = 200;

// Everything here writes PostgreSQL first: a client's workflow that could not be reached then learns of the change
// within the hour, from reconcileClients.

/** @throws UnknownClientError when there is no such client, or it was removed */
export async function requireClient({ database }: Session, clientId: string): Promise<ClientRow> {
  const client = await findClient(database.db, clientId);
  if (client?.active) return client;
  if (!client) throw new UnknownClientError(clientId);
  throw new UnknownClientError(clientId, 'was removed. Add it again to let it sync.');
}

/**
 * Adds a client, brings back one that was removed, or renames one; without a name it keeps its own. Safe to repeat.
 *
 * @throws SyncFailure InvalidInput for an id or a name that can't be
 */
export async function addClient(
  session: Session,
  by: Changer,
  { clientId, name }: { readonly clientId: string; readonly name?: string },
): Promise<{ client: ClientRow; outcome: 'added' | 'there' }> {
  const { db } = session.database;
  const before = await findClient(db, clientId);
  await clients.addClient(db, clientId, checkName(name ?? before?.name ?? clientId, 'name'));
  await record(session, by, 'add client', clientId, { name });
  await wake(session, clientId);
  return { client: await requireClient(session, clientId), outcome: before?.active ? 'there' : 'added' };
}

/**
 * Adds a connection, or replaces the secrets of the one with the same platform and name. Safe to repeat.
 *
 * @throws UnknownClientError; SyncFailure InvalidInput that repeats no secret
 */
export async function addConnection(
  session: Session,
  by: Changer,
  added: NewConnection,
): Promise<ConnectionRow> {
  const { clientId, platform } = added;
  const credentials = checkConnection(added);
  const { db } = session.database;
  const connectionName = added.connectionName.trim();
  const isIt = (row: ConnectionRow): boolean =>
    row.platform_type === platform && row.connection_name === connectionName;
  const replaced = (await requireClient(session, clientId)).connections.find(isIt);
  const frequencyHours = added.frequencyHours ?? replaced?.sync_frequency_hours ?? FREQUENCY_HOURS;
  await clients.addCredential(db, session.targets.keys, {
    clientId,
    platform,
    connectionName,
    credentials,
    frequencyHours,
  });
  const detail = { platform, connectionName, frequencyHours };
  await record(session, by, replaced ? 'replace credentials' : 'add credentials', clientId, detail);
  await wake(session, clientId);
  const connection = (await requireClient(session, clientId)).connections.find(isIt);
  if (!connection) throw new Error(`the connection ${connectionName} of ${clientId} was removed meanwhile`);
  return connection;
}

/**
 * Checks all of a connection that can be known before anything is written.
 *
 * @returns its secrets as JSON text
 * @throws SyncFailure InvalidInput that repeats no secret
 */
export function checkConnection({
  platform,
  connectionName,
  credentials,
  frequencyHours,
}: NewConnection): string {
  checkName(connectionName, 'name of the connection');
  if (frequencyHours !== undefined) clients.checkFrequency(frequencyHours);
  return parseCredentials(platform, credentials);
}

function checkName(name: string, what: string): string {
  const trimmed = name.trim();
  if (trimmed !== '' && trimmed.length <= NAME_MAX) return trimmed;
  throw new SyncFailure('InvalidInput', `The ${what} must have from 1 to ${NAME_MAX} characters.`);
}

/** All connections of a client stop syncing until it is resumed. Safe to repeat. @throws UnknownClientError */
export async function pauseClient(
  session: Session,
  by: Changer,
  clientId: string,
  reason: string | undefined,
): Promise<ClientRow> {
  const shown = reason?.trim() || `paused by ${by.actor}`;
  return setPaused(session, by, { clientId, action: 'pause client', reason: shown });
}

/** Safe to repeat. @throws UnknownClientError */
export function resumeClient(session: Session, by: Changer, clientId: string): Promise<ClientRow> {
  return setPaused(session, by, { clientId, action: 'resume client', reason: null });
}

async function setPaused(
  session: Session,
  by: Changer,
  { clientId, action, reason }: { clientId: string; action: string; reason: string | null },
): Promise<ClientRow> {
  await requireClient(session, clientId);
  await clients.setClientPaused(session.database.db, clientId, reason);
  await record(session, by, action, clientId, { reason });
  await wake(session, clientId);
  return requireClient(session, clientId);
}

/**
 * A changed frequency counts from the last due time; before the first one, from now. Safe to repeat.
 *
 * @throws UnknownClientError, SyncFailure InvalidInput
 */
export async function setFrequency(
  session: Session,
  by: Changer,
  { clientId, hours, platform }: { clientId: string; hours: number; platform?: Platform },
): Promise<ClientRow> {
  await requireClient(session, clientId);
  const changed = await clients.setClientFrequency(session.database.db, clientId, hours, platform);
  if (changed === 0) throw noConnection(clientId, platform);
  await record(session, by, 'set frequency', clientId, { hours, platform });
  await wake(session, clientId);
  return requireClient(session, clientId);
}

export const noConnection = (clientId: string, platform: Platform | undefined): SyncFailure =>
  new SyncFailure(
    'InvalidInput',
    `Client ${clientId} has no connection${platform ? ` to ${platform}` : ''}. Add one with: npx durasync clients add`,
  );

/** Ends a client's workflow after the run that may be open; its data stays. Safe to repeat. @throws UnknownClientError */
export async function removeClient(session: Session, by: Changer, clientId: string): Promise<void> {
  await requireClient(session, clientId);
  await deactivateClient(session.database.db, clientId);
  await record(session, by, 'remove client', clientId);
  await clientWorkflows(session.client).reload([clientId]);
}

export async function record(
  { database }: Session,
  { actor, tokenId }: Changer,
  action: string,
  subject: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await audit(database.db, { actor, action, subject, detail: { ...detail, tokenId } });
}

/** Lets the client's workflow read its client again, and starts it when it does not run. */
export async function wake({ client }: Session, clientId: string): Promise<void> {
  const workflows = clientWorkflows(client);
  await workflows.start([clientId]);
  await workflows.reload([clientId]);
}
