/** What the workflow that undoes a run and its activities say to each other, and what people see of an undo. */
import type { RunId } from './ids.ts';
import type { RunPlan } from './run-plan.ts';

/** The input of `undoRun`. From the plain Temporal CLI `{"of":"RUN_ID"}` is enough. */
export interface UndoRunInput {
  /** The run to take back. */
  readonly of: string;
  readonly reason?: string;
  readonly triggeredBy?: string;
}

export interface PlanUndoInput extends UndoRunInput {
  readonly runId: RunId;
  readonly workflowId: string;
  readonly logicalAt: string;
}

export interface TakeBackInput {
  /** The run that undoes. */
  readonly runId: RunId;
  readonly of: RunId;
  readonly by: string;
  readonly reason?: string;
}

/** How an undo ended. `refused`: nothing was changed; the sentence says why, and names no row. */
export type TookBack =
  | { readonly outcome: 'undone'; readonly rows: number }
  | { readonly outcome: 'refused'; readonly reason: string };

export interface UndoActivities {
  /** Opens the row of a run that undoes another. Throws InvalidInput when that one can't be undone. Safe to repeat. */
  planUndo(input: PlanUndoInput): Promise<RunPlan>;
  /** Takes back what a run wrote, in one transaction. Safe to repeat: a repeat returns the stored counts. */
  takeBack(input: TakeBackInput): Promise<TookBack>;
}

/** What an undo does to one live table, in rows. */
export interface UndoTable {
  /** The live table. */
  readonly table: string;
  /** Rows that the run inserted, which go. */
  readonly removed: number;
  /** Rows that the run changed, which are again as they were. */
  readonly put_back: number;
  /** Rows that the run archived, which come back. */
  readonly unarchived: number;
  /** Rows that the run brought back from the archive, which return there. */
  readonly archived_again: number;
  /** Rows that the run inserted and that are gone already; there is nothing to take back. */
  readonly gone: number;
}

/** A row that somebody has changed since the run wrote it. */
export interface UndoConflict {
  readonly table: string;
  readonly key: Readonly<Record<string, unknown>>;
  /** Such as 'changed by run …' or 'a person changed call_status'. */
  readonly reason: string;
}

/** What undoing a run would do, or why it can't be done. */
export interface UndoPreview {
  readonly run_id: RunId;
  readonly sync: string;
  /** Why the run can't be undone; null when it can. */
  readonly refusal: string | null;
  readonly tables: readonly UndoTable[];
  /** The first of the rows that stand in the way. */
  readonly conflicts: readonly UndoConflict[];
  readonly conflict_count: number;
  /** Cursors and watermarks that go back to where they stood before the run, or away (null). */
  readonly watermarks: readonly { readonly name: string; readonly value: string | null }[];
}
