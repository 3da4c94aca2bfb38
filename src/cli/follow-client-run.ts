import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { isClientRunRecorded } from '../db/client-list.ts';
import { clientRunId, type RequestedRun } from '../domain/clients.ts';
import type { RunId } from '../domain/ids.ts';
import type { RunResult } from '../domain/run-result.ts';
import type { Session } from '../installation/session.ts';
import { clientWorkflows } from '../temporal/clients.ts';
import { follow } from './follow-run.ts';

const POLL_MS = 250;
const RECORD_MS = 10_000;
/** Looks that may find a run neither queued nor running, as in the moment between the two. */
const MISSES_MAX = 4;

/**
 * Shows a run that a client was asked for until it has ended and its client knows. It may begin much later, when it
 * is queued behind another one.
 *
 * @throws Error when it will not come, because the client was paused or removed meanwhile
 */
export async function followClientRun(
  session: Session,
  clientId: string,
  run: RequestedRun,
): Promise<RunResult> {
  const runId = await runIdOf(session, clientId, run);
  const result = await follow(session, { workflowId: run.workflowId, runId });
  for (const giveUpAt = Date.now() + RECORD_MS; Date.now() < giveUpAt; await sleep(POLL_MS)) {
    if (await isClientRunRecorded(session.database.db, runId)) break;
  }
  return result;
}

async function runIdOf(session: Session, clientId: string, run: RequestedRun): Promise<RunId> {
  for (let misses = 0; misses < MISSES_MAX; await sleep(POLL_MS)) {
    const runId = await startedAs(session, run.workflowId);
    if (runId) return runId;
    if (!(await isExpected(session, clientId, run))) misses += 1;
  }
  throw new Error(
    `The run ${run.workflowId} does not come: client ${clientId} was paused or removed meanwhile. ` +
      `See it with: npx durasync clients show ${clientId}`,
  );
}

async function startedAs({ client }: Session, workflowId: string): Promise<RunId | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).runId as RunId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Whether the client's workflow has it in hand. One that waits for a paused client does not count. */
async function isExpected(
  { client }: Session,
  clientId: string,
  { credentialId, workflowId }: RequestedRun,
): Promise<boolean> {
  const status = await clientWorkflows(client).status(clientId);
  const credential = status?.credentials.find((each) => each.credentialId === credentialId);
  if (!credential) return false;
  const { running, queued, pausedReason } = credential;
  if (running === workflowId) return true;
  return (
    queued !== null && pausedReason === null && clientRunId(clientId, credentialId, queued) === workflowId
  );
}
