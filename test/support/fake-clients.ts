import { ApplicationFailure } from '@temporalio/common';
import type {
  ClientActivities,
  ClientState,
  CredentialState,
  EndedRun,
  Platform,
} from '../../src/domain/clients.ts';
import type { FinishedRun, FinishRunInput, PlanRunInput } from '../../src/domain/contracts.ts';
import type { RunPlan } from '../../src/domain/run-plan.ts';

const HOUR_MS = 3_600_000;

/** What the activities of clients know and were asked, in place of PostgreSQL. A test may change all of it. */
export interface FakeClients {
  /** Active clients by id. */
  readonly clients: Map<string, CredentialState[]>;
  /** Runs in the order in which they began. */
  readonly planned: PlanRunInput[];
  readonly recorded: EndedRun[];
  reads: number;
  /** Whether runs record themselves, or leave that to the workflow of their client as those of older releases do. */
  recordedBy: 'run' | 'client';
  /** Called in the middle of the activity of that name; may wait or throw. */
  readonly on: {
    planRun?: ((input: PlanRunInput) => Promise<void>) | undefined;
    readClient?: (() => Promise<void>) | undefined;
    /** Called when a run has recorded itself, before it says so. */
    finishRun?: (() => Promise<void>) | undefined;
    recordClientRun?: ((run: EndedRun) => Promise<void>) | undefined;
  };
  readonly activities: object;
  readonly doors: Door[];
  /** Something to wait at until it is opened. */
  door(): Door;
  /** Adds a client with these connections, due at `dueAtMs`. */
  add(clientId: string, dueAtMs: number, connections: readonly FakeConnection[]): void;
  /** When the runs of a connection began (ms), by the server's clock. */
  startsOf(credentialId: string): number[];
}

interface Door {
  readonly opened: Promise<void>;
  open(): void;
}

export interface FakeConnection {
  readonly id: string;
  readonly platform?: Platform;
  readonly hours: number;
}

export const refused = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'InvalidInput');

/** Runs without tables, and a grid of due times that starts at the first one. */
export function fakeClients(): FakeClients {
  const fake: FakeClients = {
    clients: new Map(),
    planned: [],
    recorded: [],
    reads: 0,
    recordedBy: 'run',
    on: {},
    activities: {},
    doors: [],
    door() {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      const door = { opened, open: () => open() };
      fake.doors.push(door);
      return door;
    },
    add(clientId, dueAtMs, connections) {
      fake.clients.set(
        clientId,
        connections.map(({ id, platform = 'shopify', hours }) => ({
          credentialId: id,
          platform,
          connectionName: id,
          frequencyHours: hours,
          nextSyncAt: new Date(dueAtMs).toISOString(),
          pausedReason: null,
        })),
      );
    },
    startsOf: (credentialId) =>
      fake.recorded
        .filter((run) => run.credentialId === credentialId)
        .map(({ startedAt }) => Date.parse(startedAt)),
  };
  const stateOf = (clientId: string): ClientState | null => {
    const credentials = fake.clients.get(clientId);
    return credentials ? { clientId, appliedAt: '', credentials: [...credentials] } : null;
  };
  const change = (
    clientId: string,
    changed: (credential: CredentialState) => Partial<CredentialState>,
  ): void => {
    const credentials = fake.clients.get(clientId);
    if (!credentials) return;
    fake.clients.set(
      clientId,
      credentials.map((credential) => ({ ...credential, ...changed(credential) })),
    );
  };
  const record = (run: EndedRun): ClientState | null => {
    fake.recorded.push(run);
    change(run.clientId, (credential) => {
      if (credential.credentialId !== run.credentialId || run.trigger === 'signal') return {};
      const next = Date.parse(credential.nextSyncAt) + credential.frequencyHours * HOUR_MS;
      return { nextSyncAt: new Date(next).toISOString() };
    });
    return stateOf(run.clientId);
  };
  const recordAsRun = ({ runId, status, message }: FinishRunInput): ClientState | null => {
    const planned = fake.planned.find((each) => each.runId === runId);
    if (!planned) throw new Error(`run ${runId} was not planned`);
    const { workflowId, scope = '', trigger, triggeredBy = '', logicalAt: startedAt } = planned;
    const clientId = workflowId.split('/')[1] ?? '';
    return record({
      clientId,
      credentialId: scope,
      workflowId,
      runId,
      triggeredBy,
      startedAt,
      trigger: trigger === 'signal' ? 'signal' : 'schedule',
      outcome: status === undefined ? 'success' : 'failure',
      message: message ?? null,
    });
  };
  const clientActivities: Omit<ClientActivities, 'reconcileWorkflows'> = {
    async readClient(clientId) {
      const state = stateOf(clientId);
      fake.reads += 1;
      await fake.on.readClient?.();
      return state;
    },
    async recordClientRun(run) {
      await fake.on.recordClientRun?.(run);
      return record(run);
    },
    async setClientPaused({ clientId, reason }) {
      change(clientId, () => ({ pausedReason: reason }));
    },
    async setClientFrequency({ clientId, hours }) {
      if (!(hours > 0)) throw refused(`A frequency of ${hours} hours can't be kept.`);
      change(clientId, () => ({ frequencyHours: hours }));
    },
  };
  const runActivities = {
    async planRun(input: PlanRunInput): Promise<RunPlan> {
      fake.planned.push(input);
      await fake.on.planRun?.(input);
      return {
        runId: input.runId,
        sync: input.sync,
        scope: input.scope ?? '',
        kind: 'sync',
        trigger: input.trigger,
        logicalAt: input.logicalAt,
        timeZone: 'UTC',
        window: null,
        full: false,
        tables: [],
        sourceQueue: null,
        enrich: [],
        derive: [],
        deadlineMs: 24 * HOUR_MS,
        holdMs: HOUR_MS,
      };
    },
    async finishRun(input: FinishRunInput): Promise<Partial<FinishedRun>> {
      const recorded = fake.recordedBy === 'run' ? { client: recordAsRun(input) } : {};
      await fake.on.finishRun?.();
      const ended = {
        run_id: input.runId,
        sync: 'commerce',
        status: 'completed',
        error_message: null,
      } as const;
      return { ...ended, tables: [], enrich: [], derive: [], ...recorded };
    },
  };
  return Object.assign(fake, { activities: { ...clientActivities, ...runActivities } });
}
