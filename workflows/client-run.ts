import {
  ChildWorkflowFailure,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import {
  clientRunId,
  type ClientState,
  type CredentialState,
  type DueRun,
  type EndedRun,
  outcomeOf,
  type QueuedRequest,
} from '../src/domain/clients.ts';
import { clients } from './activities.ts';
import { failureMessage } from './failure-message.ts';
import { attributesOfRun, runSync } from './run-sync.ts';

type Outcome = Pick<EndedRun, 'outcome' | 'message'>;

/** The run that a wish leads to, or the one that is due. */
export function dueRun(
  clientId: string,
  { credentialId, nextSyncAt }: CredentialState,
  request?: QueuedRequest,
): DueRun {
  return {
    clientId,
    credentialId,
    workflowId: clientRunId(clientId, credentialId, request?.requestId ?? nextSyncAt),
    trigger: request ? 'signal' : 'schedule',
    triggeredBy: request?.requestedBy ?? 'schedule',
  };
}

interface RunToEnd {
  readonly run: EndedRun;
  /** The client after the run, null when it is gone; undefined when the run is still to be recorded. */
  readonly client: ClientState | null | undefined;
}

/**
 * Starts one run and waits for its end. Never throws: a failing run does not fail its client.
 *
 * @returns null when the same run is open already
 */
export async function runToEnd(due: DueRun, { platform }: CredentialState): Promise<RunToEnd | null> {
  const { workflowId, clientId, credentialId, trigger, triggeredBy } = due;
  const startedAt = new Date(Date.now()).toISOString();
  let runId: string | null = null;
  let client: ClientState | null | undefined;
  let ended: Outcome;
  try {
    const child = await startChild(runSync, {
      workflowId,
      args: [{ sync: 'commerce', scope: credentialId, trigger, triggeredBy }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      // A person waits for it.
      priority: trigger === 'signal' ? { priorityKey: 2 } : undefined,
      searchAttributes: {
        ...attributesOfRun('commerce', trigger),
        ClientId: [clientId],
        Platform: [platform],
      },
      staticSummary: `${clientId}: ${trigger} run`,
    });
    runId = child.firstExecutionRunId;
    const result = await child.result();
    client = result.client;
    ended = outcomeOf(result);
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') {
      // A workflow of this client that was terminated left it behind. It is not ours to record.
      log.warn(`client ${clientId}: ${workflowId} is still running; it is tried again later`);
      return null;
    }
    ended = { outcome: 'failure', message: messageOf(error) };
  }
  return { run: { ...due, runId, startedAt, ...ended }, client };
}

/** @returns the client after that; null when it is gone, or the run could not be recorded */
export async function recordRun(run: EndedRun): Promise<ClientState | null> {
  try {
    return await clients.recordClientRun(run);
  } catch (error) {
    if (!isCancellation(error)) {
      log.error(`client ${run.clientId}: a run could not be recorded: ${failureMessage(error)}`);
    }
    return null;
  }
}

function messageOf(error: unknown): string {
  if (isCancellation(error)) return 'The run was cancelled.';
  return failureMessage(error instanceof ChildWorkflowFailure ? error.cause : error);
}
