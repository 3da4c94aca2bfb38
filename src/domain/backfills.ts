/** What a backfill and those who start or watch it say to each other. */
import { addDays, daysBetween } from './days.ts';
import type { RunId } from './ids.ts';

/** Windows that one history of a backfill holds; it then continues as new. */
const WINDOWS_PER_HISTORY = 500;
export const WINDOWS_AT_ONCE = 4;
export const WINDOWS_AT_ONCE_MAX = 50;

/** The input of `backfillSync`. From the plain Temporal CLI `{"sync":"sales","from":"2026-01-01","to":"2026-02-01"}` is enough. */
export interface BackfillInput {
  readonly sync: string;
  /** First day (inclusive) and last day (exclusive), YYYY-MM-DD in the sync's zone. */
  readonly from: string;
  readonly to: string;
  /** Days in a window; 1 when absent. */
  readonly days?: number;
  /** Windows at once; 4 when absent. */
  readonly concurrency?: number;
  readonly requestedBy?: string;
  /** Windows in one history; 500 when absent. */
  readonly windowsPerHistory?: number;
  /** What the histories before this one have done. */
  readonly carried?: BackfillProgress;
}

/** Days of one window: `from` to before `to`. */
export interface BackfillWindow {
  readonly from: string;
  readonly to: string;
}

/** A window that did not complete. */
export interface BackfillProblem extends BackfillWindow {
  readonly outcome: 'failed' | 'held';
  /** Null when its run could not even start. */
  readonly runId: RunId | null;
  readonly message: string | null;
}

/** How far a backfill is. */
export interface BackfillProgress {
  /** First day that no window has been started for. */
  readonly next: string;
  readonly completed: number;
  readonly failed: number;
  readonly held: number;
  /** Valid rows that the windows have shown. */
  readonly rows: number;
  /** The first of those that did not complete. */
  readonly problems: readonly BackfillProblem[];
  /** Why no window is started at present; null when they are. */
  readonly pausedReason: string | null;
}

/** What the query `status` answers, and with nothing open what the workflow returns. */
export interface BackfillStatus extends BackfillProgress {
  readonly sync: string;
  readonly from: string;
  readonly to: string;
  /** How many windows there are in all. */
  readonly windows: number;
  readonly open: readonly (BackfillWindow & { readonly runId: RunId | null })[];
}

/** The workflow that backfills a sync: one at a time. */
export const backfillId = (sync: string): string => `backfill/${sync}`;

/** The run of one window. */
export const backfillRunId = (sync: string, { from, to }: BackfillWindow): string =>
  `backfill/${sync}/${from}/${to}`;

/** The window that begins with a day. The last one may be shorter. */
export function windowFrom({ to, days = 1 }: BackfillInput, day: string): BackfillWindow {
  const end = addDays(day, days);
  return { from: day, to: end < to ? end : to };
}

export const countWindows = ({ from, to, days = 1 }: BackfillInput): number =>
  Math.ceil(daysBetween(from, to) / days);

export const windowsPerHistory = ({
  windowsPerHistory: given = WINDOWS_PER_HISTORY,
}: BackfillInput): number => given;

/** What activities do for a backfill. */
export interface BackfillActivities {
  /** Refuses what could not be backfilled. Throws UnknownSync, SyncOff or InvalidInput. */
  checkBackfill(input: BackfillInput): Promise<void>;
}
