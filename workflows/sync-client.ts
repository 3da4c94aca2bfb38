import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  isCancellation,
  log,
  ParentClosePolicy,
  setHandler,
  startChild,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type ClientState,
  clientRunId,
  type CredentialState,
  type DueRun,
  type EndedRun,
  type ForceRequest,
  type QueuedRequest,
  type RequestAnswer,
  type RequestedRun,
  type SyncClientInput,
} from '../src/domain/clients.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import { clients } from './activities.ts';
import {
  forceSyncSignal,
  pauseSignal,
  reloadSignal,
  requestSyncUpdate,
  resumeSignal,
  setFrequencySignal,
  statusQuery,
} from './client-messages.ts';
import { failureMessage } from './failure-message.ts';
import { runSync } from './run-sync.ts';

/** A history of this many runs is long enough; the workflow then continues as new. */
const RUNS_MAX = 24;

/**
 * The life of one client: knows when each of its connections is due, starts a `runSync` child for each run and
 * answers to signals at any time. A failing run never fails it. What it knows is in PostgreSQL too, so a lost
 * one is started again from there.
 */
export async function syncClient(input: SyncClientInput): Promise<void> {
  const { clientId } = input;
  let client: ClientState | null | undefined;
  let changed = true;
  let runs = 0;
  const arrived: ForceRequest[] = [...(input.arrived ?? [])];
  const queued = new Map((input.queued ?? []).map((request) => [request.credentialId, request]));
  const open = new Map<string, string>();

  setHandler(forceSyncSignal, (request = {}) => void arrived.push(request));
  setHandler(requestSyncUpdate, requestSync, { validator: refuseWhilePaused });
  setHandler(reloadSignal, () => void (changed = true));
  setHandler(pauseSignal, ({ reason } = {}) =>
    change(clients.setClientPaused({ clientId, reason: reason ?? 'paused' })),
  );
  setHandler(resumeSignal, () => change(clients.setClientPaused({ clientId, reason: null })));
  setHandler(setFrequencySignal, (frequency) =>
    change(clients.setClientFrequency({ clientId, ...frequency })),
  );
  setHandler(statusQuery, () => ({
    clientId,
    pausedReason: client?.credentials.find(({ pausedReason }) => pausedReason)?.pausedReason ?? null,
    credentials: (client?.credentials ?? []).map((credential) => ({
      ...credential,
      running: open.get(credential.credentialId) ?? null,
      queued: queued.get(credential.credentialId)?.requestId ?? null,
    })),
    runsSinceStart: runs,
  }));
  upsertSearchAttributes({ SyncName: ['commerce'], ClientId: [clientId] });

  for (;;) {
    if (changed) {
      changed = false;
      client = await clients.readClient(clientId);
    }
    if (!client) return condition(() => open.size === 0 && allHandlersFinished());
    for (const request of arrived.splice(0)) admit(client, request);
    // A child must not be open when this continues as new, so none is started from here on.
    const closing = runs >= RUNS_MAX || workflowInfo().continueAsNewSuggested;
    if (!closing) startReady(client);
    else if (open.size === 0 && allHandlersFinished()) {
      return continueAsNew<typeof syncClient>({ clientId, queued: [...queued.values()], arrived });
    }
    const openNow = open.size;
    const woken = (): boolean => changed || arrived.length > 0 || open.size < openNow;
    const waitMs = closing ? undefined : nextDueMs(client);
    await (waitMs === undefined ? condition(woken) : condition(woken, waitMs));
  }

  /** Queues a wish at every connection it is for, and says what it leads to. */
  function admit(
    { credentials }: ClientState,
    { platform, requestedBy = 'signal' }: ForceRequest,
  ): RequestedRun[] {
    return credentials
      .filter((credential) => platform === undefined || credential.platform === platform)
      .filter(({ pausedReason }) => pausedReason === null)
      .map(({ credentialId }) => {
        const state = open.has(credentialId) ? 'queued' : 'started';
        const earlier = queued.get(credentialId);
        const request = earlier ?? { credentialId, requestId: uuid4(), requestedBy };
        queued.set(credentialId, request);
        const workflowId = clientRunId(clientId, credentialId, request.requestId);
        return { credentialId, workflowId, state, coalescedInto: earlier?.requestId };
      });
  }

  async function requestSync(request: ForceRequest = {}): Promise<RequestAnswer> {
    await condition(() => client !== undefined && !changed);
    const answers = client ? admit(client, request) : [];
    const [first] = answers;
    if (!first) {
      const what = request.platform ? `${request.platform} connection` : 'connection';
      throw ApplicationFailure.nonRetryable(
        `Client ${clientId} has no ${what} that could sync.`,
        'InvalidInput',
      );
    }
    changed = true;
    const { workflowId, state, coalescedInto } = first;
    return { workflowId, state, coalescedInto, runs: answers };
  }

  function refuseWhilePaused(request: ForceRequest = {}): void {
    const wanted = (client?.credentials ?? []).filter(
      ({ platform }) => request.platform === undefined || platform === request.platform,
    );
    if (wanted.length > 0 && wanted.every(({ pausedReason }) => pausedReason !== null)) {
      throw ApplicationFailure.nonRetryable(
        `Client ${clientId} is paused: ${wanted[0]?.pausedReason}`,
        'Paused',
      );
    }
  }

  /** Lets a handler's change be read again; a refused one is logged, for a signal has nobody to answer to. */
  async function change(made: Promise<void>): Promise<void> {
    try {
      await made;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`client ${clientId}: ${failureMessage(error)}`);
    }
    changed = true;
  }

  function startReady({ credentials }: ClientState): void {
    for (const credential of credentials) {
      const { credentialId } = credential;
      if (open.has(credentialId)) continue;
      const request = queued.get(credentialId);
      if (!request && !isDue(credential)) continue;
      queued.delete(credentialId);
      const due = dueRun(clientId, credential, request);
      open.set(credentialId, due.workflowId);
      runs += 1;
      void follow(due).finally(() => {
        changed = true;
        open.delete(credentialId);
      });
    }
  }

  function nextDueMs({ credentials }: ClientState): number | undefined {
    const times = credentials
      .filter(({ credentialId, pausedReason }) => pausedReason === null && !open.has(credentialId))
      .map(({ nextSyncAt }) => Date.parse(nextSyncAt) - Date.now());
    return times.length > 0 ? Math.max(1, Math.min(...times)) : undefined;
  }
}

const isDue = ({ pausedReason, nextSyncAt }: CredentialState): boolean =>
  pausedReason === null && Date.parse(nextSyncAt) <= Date.now();

function dueRun(
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

/** Starts one run, waits for its end and records it. A failing run never fails its client. */
async function follow(due: DueRun): Promise<void> {
  const started = { ...due, runId: null, startedAt: new Date(Date.now()).toISOString() };
  const ended = await runChild(due)
    .then((result): EndedRun => ({ ...started, runId: result.run_id, ...outcomeOf(result) }))
    .catch((error: unknown): EndedRun => ({
      ...started,
      outcome: 'failure',
      message: failureMessage(error),
    }));
  try {
    await clients.recordClientRun(ended);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error(`client ${due.clientId}: a run could not be recorded: ${failureMessage(error)}`);
  }
}

async function runChild({
  workflowId,
  credentialId,
  clientId,
  trigger,
  triggeredBy,
}: DueRun): Promise<RunResult> {
  const child = await startChild(runSync, {
    workflowId,
    args: [{ sync: 'commerce', scope: credentialId, trigger, triggeredBy }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${clientId}: ${trigger} run`,
  });
  return child.result();
}

function outcomeOf({ status, error_message: message }: RunResult): Pick<EndedRun, 'outcome' | 'message'> {
  if (status === 'completed') return { outcome: 'success', message: null };
  return { outcome: status === 'completed_with_errors' ? 'partial' : 'failure', message };
}
