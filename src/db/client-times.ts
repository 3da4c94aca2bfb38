import type { EndedRun } from '../domain/clients.ts';
import type { FailureCode } from '../domain/failures.ts';

/** Whose run it is matters to no time. */
type Run = Omit<EndedRun, 'clientId'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RETRY_MAX_MS = HOUR_MS;
/** So long with nothing but refusals, and a connection is paused. */
const PAUSED_AFTER_MS = 7 * DAY_MS;

/** What the next times of a connection depend on. */
export interface Connection {
  /** The grid of due times. */
  readonly due_at: Date;
  readonly next_sync_at: Date;
  readonly hours: number;
  readonly refusals: number;
  readonly refused_since: Date | null;
  readonly paused: boolean;
  /** Why the run was not let in. */
  readonly failure_code: string | null;
}

/** What only a person can mend, by new credentials or at the shop. */
const NOT_LET_IN: readonly (string | null)[] = [
  'SourceUnauthorized',
  'SourceNotFound',
  'SourceNotConfigured',
] satisfies FailureCode[];

/** Whether a run failed because of the credentials of its connection. */
export const wasNotLetIn = ({ failure_code }: Connection, { outcome }: Pick<EndedRun, 'outcome'>): boolean =>
  outcome === 'failure' && NOT_LET_IN.includes(failure_code);

/** When a connection is due after a run, by the grid and by itself, which is earlier or later after a failure. */
export function nextTimes(
  connection: Connection,
  run: Run,
  nowMs: number,
): { readonly dueAt: Date; readonly nextAt: Date } {
  const frequencyMs = connection.hours * HOUR_MS;
  const due = connection.due_at;
  const dueAt = run.trigger === 'schedule' ? nextOnGrid(due, frequencyMs, nowMs) : due;
  const retryMs = Math.min(RETRY_MAX_MS, frequencyMs);
  if (wasNotLetIn(connection, run)) return { dueAt, nextAt: afterRefusal(connection, run, nowMs, retryMs) };
  const retryAt = new Date(nowMs + retryMs);
  return { dueAt, nextAt: run.outcome === 'failure' && retryAt < dueAt ? retryAt : dueAt };
}

/** The first time of the grid that lies ahead. A retry comes between two of them and moves nothing. */
function nextOnGrid(due: Date, frequencyMs: number, nowMs: number): Date {
  if (due.getTime() > nowMs) return due;
  const slots = Math.floor((nowMs - due.getTime()) / frequencyMs) + 1;
  return new Date(due.getTime() + slots * frequencyMs);
}

/** The waits double up to a day, or the frequency. What a person forces in between changes none of them. */
function afterRefusal(connection: Connection, run: Run, nowMs: number, firstMs: number): Date {
  const { refusals, next_sync_at: planned, hours } = connection;
  if (run.trigger === 'signal' && refusals > 0 && planned.getTime() > nowMs) return planned;
  const maxMs = Math.max(DAY_MS, hours * HOUR_MS);
  return new Date(nowMs + Math.min(maxMs, firstMs * 2 ** (refusalsAfter(connection, run) - 1)));
}

const refusalsAfter = ({ refusals }: Connection, { trigger }: Run): number =>
  trigger === 'signal' ? Math.max(1, refusals) : refusals + 1;

interface Standing {
  readonly refusals: number;
  readonly refusedSince: Date | null;
  /** It is time to pause it. */
  readonly pauses: boolean;
}

/** How long a connection has been refused. A run that was let in ends that; one that failed otherwise says nothing. */
export function standingAfter(connection: Connection, run: Run, nowMs: number): Standing {
  const { refusals, refused_since: since, paused } = connection;
  if (run.outcome !== 'failure') return { refusals: 0, refusedSince: null, pauses: false };
  if (!wasNotLetIn(connection, run)) return { refusals, refusedSince: since, pauses: false };
  const refusedSince = since ?? new Date(run.startedAt);
  return {
    refusals: refusalsAfter(connection, run),
    refusedSince,
    pauses: !paused && nowMs - refusedSince.getTime() >= PAUSED_AFTER_MS,
  };
}
