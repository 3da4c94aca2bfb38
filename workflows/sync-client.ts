import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setHandler,
  sleep,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type ClientState,
  clientRunId,
  type CredentialState,
  type DueRun,
  type ForceRequest,
  type QueuedRequest,
  type RequestAnswer,
  type RequestedRun,
  type SyncClientInput,
} from '../src/domain/clients.ts';
import { clients } from './activities.ts';
import {
  forceSyncSignal,
  pauseSignal,
  readForceRequest,
  readFrequency,
  readPauseReason,
  reloadSignal,
  requestSyncUpdate,
  resumeSignal,
  setFrequencySignal,
  statusQuery,
} from './client-messages.ts';
import { dueRun, recordRun, runToEnd } from './client-run.ts';
import { failureMessage } from './failure-message.ts';

/** A history of this many runs is long enough; the workflow then continues as new. */
const RUNS_MAX = 24;
const HOUR_MS = 3_600_000;
/** Far below the longest timer that a server accepts; a longer wait begins again. */
const WAIT_MAX_MS = 30 * 24 * HOUR_MS;
const READ_AGAIN_MS = 60_000;

/**
 * The life of one client: knows when each of its connections is due, starts a `runSync` child for each run and
 * answers to signals at any time. A failing run never fails it. What it knows is in PostgreSQL too, so a lost
 * one is started again from there.
 */
export async function syncClient({ clientId, queued: carriedOver = [] }: SyncClientInput): Promise<void> {
  let client: ClientState | null | undefined;
  /** Whether `client` includes every change that is known of. */
  let knowledge = 'stale' as 'stale' | 'reading' | 'fresh';
  /** How many states `client` has held. */
  let states = 0;
  /** Something happened that the loop below has to look at. */
  let stirred = false;
  let runs = 0;
  const wishes: ForceRequest[] = [];
  /** Changes that were asked for, in their order. */
  const edits: (() => Promise<void>)[] = [];
  const queued = new Map(carriedOver.map((request) => [request.credentialId, request]));
  const open = new Map<string, string>();
  /** Until when a connection rests whose run could not be recorded: else it would be due again at once. */
  const restsUntilMs = new Map<string, number>();

  // Signals only leave a note: what they ask for is done by the loop, one after the other.
  setHandler(forceSyncSignal, (sent) => {
    wishes.push(readForceRequest(sent));
    stirred = true;
  });
  setHandler(requestSyncUpdate, (sent) => requestSync(readForceRequest(sent)));
  setHandler(reloadSignal, () => void (knowledge = 'stale'));
  setHandler(pauseSignal, (sent) =>
    edit(() => clients.setClientPaused({ clientId, reason: readPauseReason(sent) })),
  );
  setHandler(resumeSignal, () => edit(() => clients.setClientPaused({ clientId, reason: null })));
  setHandler(setFrequencySignal, (sent) =>
    edit(() => clients.setClientFrequency({ clientId, ...readFrequency(sent) })),
  );
  setHandler(statusQuery, () => ({
    clientId,
    pausedReason: client?.credentials.find(isPaused)?.pausedReason ?? null,
    credentials: (client?.credentials ?? []).map((credential) => ({
      ...credential,
      running: open.get(credential.credentialId) ?? null,
      queued: queued.get(credential.credentialId)?.requestId ?? null,
    })),
    runsSinceStart: runs,
  }));
  upsertSearchAttributes({ SyncName: ['commerce'], ClientId: [clientId] });

  for (;;) {
    stirred = false;
    // Never decides on less than all that is known: a run that has just been recorded would look due again.
    if (knowledge !== 'fresh') {
      await catchUp();
      continue;
    }
    if (client) {
      for (const wish of wishes.splice(0)) admit(client, wish);
      if (isOld() && isIdle()) {
        return continueAsNew<typeof syncClient>({ clientId, queued: [...queued.values()] });
      }
      if (mayStart()) startReady(client);
    } else if (isIdle()) return;
    const woken = (): boolean => stirred || knowledge !== 'fresh' || ((!client || isOld()) && isIdle());
    const waitMs = client && mayStart() ? nextDueMs(client) : undefined;
    await (waitMs === undefined ? condition(woken) : condition(woken, waitMs));
  }

  function isOld(): boolean {
    return runs >= RUNS_MAX || !mayStart();
  }

  /** A child must not be open when this continues as new, so at the end of a history none is started. */
  function mayStart(): boolean {
    return !workflowInfo().continueAsNewSuggested;
  }

  function isIdle(): boolean {
    return open.size === 0 && allHandlersFinished();
  }

  function edit(make: () => Promise<void>): void {
    edits.push(make);
    knowledge = 'stale';
  }

  /** Makes the changes that were asked for and reads the client. What it can't do is logged: nobody waits for an answer. */
  async function catchUp(): Promise<void> {
    knowledge = 'reading';
    try {
      for (let make = edits.shift(); make; make = edits.shift()) await attempt(make);
      take(await clients.readClient(clientId));
      if (knowledge === 'reading') knowledge = 'fresh';
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`client ${clientId} could not be read: ${failureMessage(error)}`);
      knowledge = 'stale';
      await sleep(READ_AGAIN_MS);
    }
  }

  async function attempt(make: () => Promise<void>): Promise<void> {
    try {
      await make();
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn(`client ${clientId}: ${failureMessage(error)}`);
    }
  }

  function take(state: ClientState | null): void {
    client = state;
    states += 1;
    const ids = new Set(state?.credentials.map(({ credentialId }) => credentialId));
    for (const id of queued.keys()) if (!ids.has(id)) queued.delete(id);
  }

  /** Queues a wish at every connection it is for, and says what it leads to. */
  function admit({ credentials }: ClientState, wish: ForceRequest): RequestedRun[] {
    const ready = credentials.filter((credential) => isFor(wish, credential) && !isPaused(credential));
    if (ready.length === 0) log.warn(`client ${clientId}: a force was refused. ${refusal(wish).message}`);
    return ready.map(({ credentialId }) => {
      const state = open.has(credentialId) ? 'queued' : 'started';
      const earlier = queued.get(credentialId);
      const { requestedBy = 'signal' } = wish;
      const request: QueuedRequest = earlier ?? { credentialId, requestId: uuid4(), requestedBy };
      queued.set(credentialId, request);
      const workflowId = clientRunId(clientId, credentialId, request.requestId);
      return { credentialId, workflowId, state, coalescedInto: earlier?.requestId };
    });
  }

  async function requestSync(wish: ForceRequest): Promise<RequestAnswer> {
    await condition(() => knowledge === 'fresh');
    const answers = client ? admit(client, wish) : [];
    const [first] = answers;
    if (!first) throw refusal(wish);
    stirred = true;
    const { workflowId, state, coalescedInto } = first;
    return { workflowId, state, coalescedInto, runs: answers };
  }

  /** Why a wish leads to nothing. */
  function refusal(wish: ForceRequest): ApplicationFailure {
    const paused = client?.credentials.find((credential) => isFor(wish, credential) && isPaused(credential));
    if (paused) {
      return ApplicationFailure.nonRetryable(
        `Client ${clientId} is paused: ${paused.pausedReason}`,
        'Paused',
      );
    }
    if (!client) {
      return ApplicationFailure.nonRetryable(
        `Client ${clientId} does not exist, or was removed. Add it with: npx durasync clients add`,
        'InvalidInput',
      );
    }
    const what = wish.platform ? `${wish.platform} connection` : 'connection';
    return ApplicationFailure.nonRetryable(
      `Client ${clientId} has no ${what} that could sync.`,
      'InvalidInput',
    );
  }

  function startReady({ credentials }: ClientState): void {
    for (const credential of credentials) {
      const { credentialId } = credential;
      if (open.has(credentialId) || isPaused(credential)) continue;
      const request = queued.get(credentialId);
      if (!request && dueInMs(credential) > 0) continue;
      queued.delete(credentialId);
      const due = dueRun(clientId, credential, request);
      open.set(credentialId, due.workflowId);
      runs += 1;
      void follow(due, credential);
    }
  }

  async function follow(due: DueRun, credential: CredentialState): Promise<void> {
    let statesBefore = states;
    const ended = await runToEnd(due, credential);
    let state = ended?.client;
    if (ended && state === undefined) {
      statesBefore = states;
      state = await recordRun(ended.run);
    }
    open.delete(due.credentialId);
    stirred = true;
    // What was read meanwhile may be older or newer, so then only reading again tells.
    if (state && states === statesBefore && knowledge === 'fresh') return take(state);
    if (!state) {
      restsUntilMs.set(due.credentialId, Date.now() + Math.min(1, credential.frequencyHours) * HOUR_MS);
    }
    knowledge = 'stale';
  }

  /** 0 or less when it is due. */
  function dueInMs({ credentialId, nextSyncAt }: CredentialState): number {
    return Math.max(Date.parse(nextSyncAt), restsUntilMs.get(credentialId) ?? 0) - Date.now();
  }

  function nextDueMs({ credentials }: ClientState): number | undefined {
    const waits = credentials
      .filter((credential) => !isPaused(credential) && !open.has(credential.credentialId))
      .map(dueInMs);
    return waits.length > 0 ? Math.min(WAIT_MAX_MS, Math.max(1, Math.min(...waits))) : undefined;
  }
}

const isPaused = ({ pausedReason }: CredentialState): boolean => pausedReason !== null;

const isFor = ({ platform }: ForceRequest, credential: CredentialState): boolean =>
  platform === undefined || platform === credential.platform;
