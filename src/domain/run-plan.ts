import type { RunId } from './ids.ts';

export type RunKind = 'sync' | 'plan' | 'import' | 'replay' | 'undo';
export type RunTrigger = 'schedule' | 'manual' | 'signal' | 'backfill' | 'first_start' | 'upload';

/** When something unusual happens in a table. Shares are between 0 and 1. */
export interface Guards {
  /** Hold when more than this share of the live rows is missing from the source. */
  readonly missingShare: number;
  /** Hold when more than this share of the source's rows is quarantined. */
  readonly quarantineShare: number;
  /** Report, and go on, when the source has grown by more than this share of the live rows. */
  readonly growthShare: number;
}

/** One table of a run, as recorded in history: names only, never an address or a row. */
export interface TablePlan {
  readonly table: string;
  /** The setting that holds the source's address. */
  readonly source: string;
  /** This run's source shows every row, so one that is missing there is gone. */
  readonly archives: boolean;
  /** This run's source shows these days whole, `from` to before `to`: only rows of theirs can be missing. */
  readonly days?: { readonly from: string; readonly to: string };
  /** Rows that ended before this instant (ISO) move to the archive; absent for rows that never end. */
  readonly expiredBefore?: string;
  readonly guards: Guards;
}

/** One enrich or derive step of a run. */
export interface StepPlan {
  readonly step: string;
  /** Runs once all of these tables have ended, however they ended. */
  readonly after: readonly string[];
}

/**
 * What a run is going to do, decided once by `planRun` and recorded in history. Editing a definition
 * cannot change a run in flight.
 */
export interface RunPlan {
  readonly runId: RunId;
  readonly sync: string;
  /** What it runs for within the sync; '' when the sync is one whole. */
  readonly scope: string;
  readonly kind: RunKind;
  readonly trigger: RunTrigger;
  /** An instant (ISO): the scheduled start of a scheduled run, else the start. */
  readonly logicalAt: string;
  readonly timeZone: string;
  /** Dates `from` (inclusive) to `to` (exclusive) in the sync's zone, for windowed syncs. */
  readonly window: { readonly from: string; readonly to: string } | null;
  readonly full: boolean;
  readonly tables: readonly TablePlan[];
  /** What a run begins with; a run that is not let in asks for no table. Absent: with its tables. */
  readonly begins?: 'with_connection_test' | 'with_tables';
  /** One by one holds at most one place at the workers of the source queue. Absent: side by side. */
  readonly reads?: 'one_by_one' | 'side_by_side';
  /** The task queue of steps that read the sources, when it is not the common one. */
  readonly sourceQueue: string | null;
  readonly enrich: readonly StepPlan[];
  readonly derive: readonly StepPlan[];
  /** The run stops itself after this long, and still ends its row. */
  readonly deadlineMs: number;
  /** A held run that nobody decides on is rejected after this long. */
  readonly holdMs: number;
}
