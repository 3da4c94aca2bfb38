/** What the workflow of a client and its activities say to each other. No secret is ever among it. */
import type { RunTrigger } from './run-plan.ts';
import type { RunResult } from './run-result.ts';

export type Platform = 'shopify' | 'amazon';

interface ClientOfCredential {
  readonly clientId: string;
  readonly credentialId: string;
}

/** One connection of a client to a shop, as PostgreSQL has it. Times are instants (ISO). */
export interface CredentialState {
  readonly credentialId: string;
  readonly platform: Platform;
  readonly connectionName: string;
  readonly frequencyHours: number;
  /** The next attempt: the next time of the grid, or earlier after a failure. */
  readonly nextSyncAt: string;
  /** Why it does not run by itself; null when it does. */
  readonly pausedReason: string | null;
}

export interface ClientState {
  readonly clientId: string;
  readonly credentials: readonly CredentialState[];
  /** The newest change of a credential that this state includes. */
  readonly appliedAt: string;
}

/** A person's wish to sync now. */
export interface ForceRequest {
  /** Only connections to this platform; all of the client's when absent. */
  readonly platform?: Platform;
  readonly requestedBy?: string;
}

/** A wish that waits for its turn at one connection. */
export interface QueuedRequest {
  readonly credentialId: string;
  /** Names the run it leads to. */
  readonly requestId: string;
  readonly requestedBy: string;
}

/** One run that a wish leads to. */
export interface RequestedRun {
  readonly credentialId: string;
  readonly workflowId: string;
  /** `queued` behind the run that is open now. */
  readonly state: 'started' | 'queued';
  /** The earlier wish whose run serves this one too. */
  readonly coalescedInto?: string;
}

/** The answer to a wish: its first run, and all of them when the client has several connections. */
export interface RequestAnswer extends Omit<RequestedRun, 'credentialId'> {
  readonly runs: readonly RequestedRun[];
}

/** Why and for when a run of a credential is started. */
export interface DueRun extends ClientOfCredential {
  readonly workflowId: string;
  readonly trigger: Extract<RunTrigger, 'schedule' | 'signal'>;
  readonly triggeredBy: string;
}

/** How a run of a credential ended, as its client's workflow saw it. */
export interface EndedRun extends DueRun {
  /** Null when the run could not even be started. */
  readonly runId: string | null;
  readonly startedAt: string;
  readonly outcome: 'success' | 'partial' | 'failure';
  readonly message: string | null;
}

/** What a result says to the client. A held run has stored its other data types, and waits for a person and not for another try. */
export function outcomeOf({
  status,
  error_message: message,
}: RunResult): Pick<EndedRun, 'outcome' | 'message'> {
  if (status === 'completed') return { outcome: 'success', message: null };
  const partial = status === 'completed_with_errors' || status === 'held';
  return { outcome: partial ? 'partial' : 'failure', message };
}

export interface ClientStatus {
  readonly clientId: string;
  readonly pausedReason: string | null;
  readonly credentials: readonly (CredentialState & {
    readonly running: string | null;
    readonly queued: string | null;
  })[];
  readonly runsSinceStart: number;
}

/** The argument of `syncClient`; what it carries over when it continues as new. */
export interface SyncClientInput {
  readonly clientId: string;
  readonly queued?: readonly QueuedRequest[];
}

/** How many client workflows a look at all of them found missing, outdated, or without a client. */
export interface ReconcileCounts {
  readonly started: number;
  readonly reloaded: number;
  readonly ended: number;
}

/** Activities of clients. Each is safe to repeat. */
export interface ClientActivities {
  /** The client as it is now; null when it is gone or inactive. */
  readClient(clientId: string): Promise<ClientState | null>;
  /**
   * Stores the outcome and moves the due times; a repeat for the same run changes nothing.
   *
   * @returns the client as it is then; null when it is gone or inactive
   */
  recordClientRun(run: EndedRun): Promise<ClientState | null>;
  /** Pauses (with a reason) or resumes (null) all connections of a client. */
  setClientPaused(input: { readonly clientId: string; readonly reason: string | null }): Promise<void>;
  /** Counts from the last due time; a frequency of 0 or less is refused. */
  setClientFrequency(input: {
    readonly clientId: string;
    readonly hours: number;
    readonly platform?: Platform;
  }): Promise<void>;
  /** Starts missing client workflows, ends removed ones, reloads those with newer connections. */
  reconcileWorkflows(): Promise<ReconcileCounts>;
}

/** Starts and reaches the workflows of clients. */
export interface ClientWorkflows {
  /** Those of the given clients whose workflow runs, asked one by one. */
  running(clientIds: readonly string[]): Promise<Set<string>>;
  /** All clients whose workflow runs, as Visibility lists them: it may be a second behind. */
  listRunning(): Promise<Set<string>>;
  /** Starts workflows; one that runs already is left alone. */
  start(clientIds: readonly string[]): Promise<void>;
  /** Lets workflows read their client again; those that have ended are passed over. */
  reload(clientIds: readonly string[]): Promise<void>;
  /**
   * Lets a client sync now, also one whose workflow does not run: it is started with the request.
   *
   * @throws WorkflowUpdateFailedError with the reason when the client is paused, is not there, or has no such
   *   connection
   */
  requestSync(clientId: string, request: ForceRequest): Promise<RequestAnswer>;
  status(clientId: string): Promise<ClientStatus | null>;
}

export const clientWorkflowId = (clientId: string): string => `client/${clientId}`;

/** The inverse of `clientWorkflowId`. */
export const clientIdOf = (workflowId: string): string => workflowId.slice(clientWorkflowId('').length);

export const clientRunId = (clientId: string, credentialId: string, due: string): string =>
  `client/${clientId}/${credentialId}/${due}`;
