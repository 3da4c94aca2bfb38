import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { findClient } from '../db/client-list.ts';
import { openClientRuns, type OpenRun, purgeClientRows, type Purged } from '../db/client-removal.ts';
import { clientWorkflows } from '../temporal/clients.ts';
import { cancelRun, decideRun, NotHeldError } from '../temporal/runs.ts';
import { type Changer, record, removeClient, UnknownClientError } from './client-changes.ts';
import type { Session } from './session.ts';

/** A run of a removed client goes on, so its data can't be purged yet. */
export class ClientBusyError extends Error {
  override readonly name = 'ClientBusyError';
}

const POLL_MS = 250;
/** How long a run that was asked to stop may take. */
export const PURGE_WAIT_MS = 30_000;

/**
 * Removes a client with everything there is of it but the list of its runs: stops its open runs, then deletes its
 * rows, secrets and view. Safe to repeat, also after a stop half-way.
 *
 * @throws UnknownClientError; ClientBusyError when a run has not ended in half a minute
 */
export async function purgeClient(session: Session, by: Changer, clientId: string): Promise<Purged> {
  const { db } = session.database;
  const client = await findClient(db, clientId);
  if (!client) throw new UnknownClientError(clientId);
  if (client.active) await removeClient(session, by, clientId);
  await endRuns(session, by, clientId);
  const purged = await purgeClientRows(db, clientId);
  await record(session, by, 'purge client', clientId, { ...purged });
  return purged;
}

/** What is still written after the purge would stay, so nothing may be open by then. */
async function endRuns(session: Session, by: Changer, clientId: string): Promise<void> {
  const workflows = clientWorkflows(session.client);
  await workflows.reload([clientId]);
  const gone = new Set<string>();
  for (const giveUpAt = Date.now() + PURGE_WAIT_MS; ; await sleep(POLL_MS)) {
    const open = (await openClientRuns(session.database.db, clientId)).filter((run) => !gone.has(run.run_id));
    for (const run of open) if (!(await stopRun(session, by, run))) gone.add(run.run_id);
    const running = await workflows.running([clientId]);
    if (running.size === 0 && open.every((run) => gone.has(run.run_id))) return;
    if (Date.now() > giveUpAt) {
      throw new ClientBusyError(
        `Client ${clientId} is removed, but a run of it has not ended yet, so its data is still there. ` +
          `Is a worker running? Repeat this when it has ended.`,
      );
    }
  }
}

/** @returns false when there is no workflow that could still write for it */
async function stopRun({ client }: Session, by: Changer, run: OpenRun): Promise<boolean> {
  try {
    switch (run.status) {
      case 'running':
        await cancelRun(client, run.workflow_id, run.run_id);
        return true;
      case 'held':
        await decideRun(client, run.run_id, {
          decision: 'reject',
          by: by.actor,
          reason: 'the client is purged',
        });
        return true;
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof NotHeldError) return false;
    throw error;
  }
}
