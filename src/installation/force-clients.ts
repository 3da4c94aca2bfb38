import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';
import pLimit from 'p-limit';
import { type ClientRow, type ConnectionRow, listClients } from '../db/client-list.ts';
import { clientRunId, type Platform, type RequestAnswer, type RequestedRun } from '../domain/clients.ts';
import { SyncFailure } from '../domain/failures.ts';
import { clientWorkflows } from '../temporal/clients.ts';
import { type Changer, noConnection, record, requireClient } from './client-changes.ts';
import type { Session } from './session.ts';

/** A paused client was asked to sync. */
export class ClientPausedError extends Error {
  override readonly name = 'ClientPausedError';
}

/** What became of asking one of many clients to sync. */
export interface ForcedClient {
  readonly clientId: string;
  readonly state: 'started' | 'queued' | 'not_due' | 'refused';
  /** Why it does not sync; null when it does. */
  readonly reason: string | null;
  readonly runs: readonly RequestedRun[];
}

export interface ForceOptions {
  /** `all` also those that are not due; `due` only starts what should have begun already. */
  readonly which: 'all' | 'due';
  readonly clientId?: string;
  readonly platform?: Platform;
}

const PAGE_CLIENTS = 500;
const AT_ONCE = 30;
/** How long workflows may take to answer before they count as not answering. */
const ANSWER_MS = 15_000;
const ALL_ANSWERS_MS = 120_000;

/**
 * Lets a client sync now. While a run of a connection is open, the next one is queued behind it.
 *
 * @throws UnknownClientError; ClientPausedError with the reason; SyncFailure InvalidInput without such a connection
 */
export async function forceClient(
  session: Session,
  by: Changer,
  clientId: string,
  platform?: Platform,
): Promise<RequestAnswer> {
  const client = await requireClient(session, clientId);
  return session.client.withDeadline(Date.now() + ANSWER_MS, () => force(session, by, client, platform));
}

/**
 * Lets many clients sync now; one that can't is reported and stops no other.
 *
 * @throws UnknownClientError when one is named that does not exist
 */
export function forceClients(session: Session, by: Changer, options: ForceOptions): Promise<ForcedClient[]> {
  return session.client.withDeadline(Date.now() + ALL_ANSWERS_MS, () => forceEach(session, by, options));
}

async function forceEach(
  session: Session,
  by: Changer,
  { which, clientId, platform }: ForceOptions,
): Promise<ForcedClient[]> {
  const limit = pLimit(AT_ONCE);
  const one = (client: ClientRow): Promise<ForcedClient> =>
    limit(() =>
      which === 'all' ? outcomeOf(session, by, client, platform) : startDue(session, by, client, platform),
    );
  if (clientId !== undefined) return [await one(await requireClient(session, clientId))];
  const forced: ForcedClient[] = [];
  for (let after = ''; ;) {
    const page = await listClients(session.database.db, { after, limit: PAGE_CLIENTS });
    const asked = page.filter(({ active, connections }) => active && connections.some(isFor(platform)));
    forced.push(...(await Promise.all(asked.map(one))));
    const last = page.at(-1);
    if (!last || page.length < PAGE_CLIENTS) return forced;
    after = last.client_id;
  }
}

/** A run in the words of the HTTP API and of `--json`. */
export const showRun = ({ credentialId, workflowId, state, coalescedInto }: RequestedRun) => ({
  credential_id: credentialId,
  workflow_id: workflowId,
  state,
  coalesced_into: coalescedInto ?? null,
});

const isFor =
  (platform: Platform | undefined) =>
  ({ platform_type }: ConnectionRow): boolean =>
    platform === undefined || platform === platform_type;

async function force(
  session: Session,
  by: Changer,
  client: ClientRow,
  platform: Platform | undefined,
): Promise<RequestAnswer> {
  const { client_id: clientId } = client;
  const wanted = client.connections.filter(isFor(platform));
  if (wanted.length === 0) throw noConnection(clientId, platform);
  if (wanted.every(({ paused }) => paused)) throw pausedError(clientId, wanted[0]?.paused_reason);
  const workflows = clientWorkflows(session.client);
  await workflows.start([clientId]);
  try {
    const answer = await workflows.requestSync(clientId, { platform, requestedBy: by.actor });
    await record(session, by, 'sync client', clientId, { platform, ...answer });
    return answer;
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

const pausedError = (clientId: string, reason: string | null | undefined): ClientPausedError =>
  new ClientPausedError(
    `Client ${clientId} does not sync: ${reason ?? 'paused'}. Resume it with: npx durasync clients resume ${clientId}`,
  );

/** The workflow's own refusal: something has changed since PostgreSQL was read. */
function refusalOf(error: unknown): Error | undefined {
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return undefined;
  return cause.type === 'Paused'
    ? new ClientPausedError(cause.message)
    : new SyncFailure('InvalidInput', cause.message);
}

async function outcomeOf(
  session: Session,
  by: Changer,
  client: ClientRow,
  platform: Platform | undefined,
): Promise<ForcedClient> {
  const { client_id: clientId } = client;
  try {
    const { state, runs } = await force(session, by, client, platform);
    return { clientId, state, reason: null, runs };
  } catch (error) {
    return { clientId, state: 'refused', reason: reasonOf(clientId, error), runs: [] };
  }
}

function reasonOf(clientId: string, error: unknown): string {
  if (error instanceof ClientPausedError || error instanceof SyncFailure) return error.message;
  return `The workflow of client ${clientId} does not answer. Is a worker running?`;
}

/** A due connection syncs by itself; this only makes sure that its client's workflow is there and looks again. */
async function startDue(
  session: Session,
  by: Changer,
  { client_id: clientId, connections }: ClientRow,
  platform: Platform | undefined,
): Promise<ForcedClient> {
  const wanted = connections.filter(isFor(platform));
  const refused = (error: unknown): ForcedClient => ({
    clientId,
    state: 'refused',
    reason: reasonOf(clientId, error),
    runs: [],
  });
  if (wanted.length === 0) return refused(noConnection(clientId, platform));
  if (wanted.every(({ paused }) => paused)) return refused(pausedError(clientId, wanted[0]?.paused_reason));
  const due = wanted.filter((row) => !row.paused && Date.parse(row.next_sync_at) <= Date.now());
  if (due.length === 0) {
    const [next] = wanted
      .filter(({ paused }) => !paused)
      .map((row) => row.next_sync_at)
      .sort();
    return { clientId, state: 'not_due', reason: `due at ${next}`, runs: [] };
  }
  const runs = due.map(({ credential_id: credentialId, next_sync_at }) => ({
    credentialId,
    workflowId: clientRunId(clientId, credentialId, next_sync_at),
    state: 'started' as const,
  }));
  try {
    const workflows = clientWorkflows(session.client);
    await workflows.start([clientId]);
    await workflows.reload([clientId]);
    await record(session, by, 'sync client', clientId, { platform, which: 'due', runs });
    return { clientId, state: 'started', reason: null, runs };
  } catch (error) {
    return refused(error);
  }
}
