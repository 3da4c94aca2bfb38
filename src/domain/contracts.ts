/**
 * What workflows and activities say to each other. Everything here goes through Temporal's history as
 * JSON: ids, names, counts and instants as text. Never a row, an address or a secret.
 */
import type { ClientState } from './clients.ts';
import type { RunId } from './ids.ts';
import type { RunKind, RunPlan, RunTrigger, StepPlan, TablePlan } from './run-plan.ts';
import type { RunResult, RunStatus, StepResult, TableStatus } from './run-result.ts';

/** Which quarantined rows a replay takes: those with these numbers, or those of one run; else all unresolved ones. */
export interface ReplaySelection {
  readonly ids?: readonly number[];
  readonly runId?: string;
}

/** The input of `runSync`. From the plain Temporal CLI `{"sync":"fleet"}` is enough. */
export interface RunSyncInput {
  readonly sync: string;
  readonly kind?: RunKind;
  /** What a sync with many of its kind runs for, such as one connection of one client. */
  readonly scope?: string;
  /** Only these tables; all of the definition's when absent. */
  readonly tables?: readonly string[];
  /** First day (inclusive) and last day (exclusive), YYYY-MM-DD in the sync's zone. */
  readonly from?: string;
  readonly to?: string;
  readonly days?: number;
  readonly full?: boolean;
  /** For runs of kind `replay`. */
  readonly replay?: ReplaySelection;
  /** For runs of kind `import`: the uploaded file. */
  readonly uploadId?: string;
  readonly trigger?: RunTrigger;
  readonly triggeredBy?: string;
}

export interface PlanRunInput extends RunSyncInput {
  readonly runId: RunId;
  readonly workflowId: string;
  readonly trigger: RunTrigger;
  readonly logicalAt: string;
}

/** Names one table of one run. */
export interface TableOfRun {
  readonly runId: RunId;
  readonly sync: string;
  readonly scope: string;
  readonly table: TablePlan;
}

/** What a run's connection test asks for. */
export interface TestConnectionInput {
  readonly sync: string;
  readonly scope: string;
}

/**
 * The details of a SourceThrottled failure whose step wants to be started again after a wait. That is not a failed
 * attempt.
 */
export interface AskedWait {
  readonly waitMs: number;
  /** Pages that the run has staged of this table so far. */
  readonly pages: number;
}

export interface StageInput extends TableOfRun, Pick<RunPlan, 'kind' | 'logicalAt' | 'timeZone' | 'window'> {
  readonly full: boolean;
}

/** A source that has been read to its end into a staging table. */
export interface Staged {
  /** The staging table; it belongs to this run alone. */
  readonly relation: string;
  /** When the fetch began (ISO): of two snapshots, the one fetched later is newer. */
  readonly sourceFetchedAt: string;
  readonly fetched: number;
  /** Valid rows with distinct keys. */
  readonly staged: number;
  readonly quarantined: number;
  readonly duplicates: number;
  /** Lines that could not be split or decoded: which live rows they stand for is unknown. */
  readonly unreadable: number;
  /** Columns the definition does not know, seen for the first time. */
  readonly drift: readonly string[];
  /** True when the table has ended with its staging: the source showed nothing that has to be merged. */
  readonly ended?: boolean;
  /** From the first day of its rows to the day after the last one, in a table whose runs show whole days. */
  readonly days?: { readonly from: string; readonly to: string };
  /** What a person should hear of this reading. */
  readonly notices?: readonly string[];
  /** Up to which day each part of the source was read; kept once this is merged. */
  readonly marks?: Readonly<Record<string, string>>;
  /** Why the source was not read to its end, so that nothing counts as missing; absent when it was. */
  readonly incomplete?: string;
  /** In a replay: the run whose snapshot these rows complete. It stays the newest one of the table. */
  readonly replayOf?: RunId;
}

export interface ReviewInput extends TableOfRun {
  readonly staged: Staged;
  readonly kind: RunKind;
}

/** What merging would do, computed against one generation of the live table. */
export interface Review {
  /**
   * `same`: the live table shows all of it already, so the table has ended. `lost`: a crash of the database has
   * emptied staging, so the table has to be staged again.
   */
  readonly verdict: 'pass' | 'same' | 'hold' | 'older' | 'lost';
  /** Why it is held, or which run has newer data. */
  readonly reason: string | null;
  readonly generation: number;
  /** The relation to merge from: the staging table, or only its new and changed rows. */
  readonly relation: string;
  /** How many rows of it are to be written; merge counts again before it trusts the relation. */
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows that merging leaves out, because the definition protects what is there. */
  readonly skipped?: number;
  readonly missing: number;
  /** False when rows that cannot be told apart might be live ones, so none is archived this time. */
  readonly mayArchive: boolean;
  /** Unusual but harmless facts, for the report. */
  readonly notices: readonly string[];
}

export interface MergeInput extends TableOfRun {
  readonly staged: Staged;
  readonly review: Review;
}

/** Whether rows that the review found missing are gone. */
export const archivesMissing = (table: TablePlan, review: Review): boolean =>
  table.archives && review.mayArchive && review.missing > 0;

/** Whether rows may have to be archived once what was reviewed is merged. */
export const archivesNext = (table: TablePlan, review: Review): boolean =>
  archivesMissing(table, review) || table.expiredBefore !== undefined;

export type Merged =
  | {
      readonly outcome: 'merged';
      readonly inserted: number;
      readonly updated: number;
      readonly unchanged: number;
      readonly restored: number;
      /** The generation after the merge. */
      readonly generation: number;
      /** Runs whose hold on this table is now pointless. */
      readonly superseded: readonly RunId[];
    }
  /** Another run merged since the review. */
  | { readonly outcome: 'moved' }
  /** The staging table is not what was recorded, as after a crash of the database. */
  | { readonly outcome: 'lost' };

export interface ArchiveInput extends MergeInput {
  readonly generation: number;
}

export type Archived =
  { readonly outcome: 'archived'; readonly archived: number } | { readonly outcome: 'moved' | 'lost' };

export interface StepInput {
  readonly runId: RunId;
  readonly sync: string;
  readonly step: StepPlan;
  readonly logicalAt: string;
  readonly timeZone: string;
}

/** How a table of a run ended, when it did not end by being merged. */
export interface CloseTableInput extends TableOfRun {
  readonly status: Extract<TableStatus, 'completed' | 'held' | 'failed' | 'skipped'>;
  readonly message: string | null;
}

interface HoldTablesInput {
  readonly runId: RunId;
  /** What approval would merge from, and how many rows it held when it was reviewed. */
  readonly relations: readonly { readonly relation: string; readonly rows: number }[];
}

/** What a run says at its end. */
export interface FinishedRun extends RunResult {
  /** Of a run that a client's workflow started: the client after it, null when it is gone. Absent when the run did not record itself. */
  readonly client?: ClientState | null;
}

export interface FinishRunInput {
  readonly runId: RunId;
  /** A status forced from outside the tables: a cancelled, failed, planned or rejected run. */
  readonly status?: Extract<RunStatus, 'cancelled' | 'failed' | 'planned' | 'rejected'>;
  readonly message?: string;
  /** The code of the failure that ended the run, kept in `metadata.failure_code`. */
  readonly failureCode?: string;
  /** What the steps did; what an earlier end recorded stays when these are absent. */
  readonly enrich?: readonly StepResult[];
  readonly derive?: readonly StepResult[];
  readonly notices?: readonly string[];
  /** What ended a hold, for the audit log. */
  readonly decision?: {
    readonly action: 'approve' | 'reject' | 'expire' | 'supersede' | 'cancel hold';
    readonly by: string;
    readonly reason?: string;
  };
}

/** The input of `decideHold`: everything needed to merge what was shown, and nothing of the rows. */
export interface DecideHoldInput {
  readonly plan: RunPlan;
  readonly held: readonly { readonly table: TablePlan; readonly staged: Staged; readonly review: Review }[];
}

export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason?: string;
}

/** Every activity. Each is safe to repeat: a repeat changes nothing and returns the same counts. */
export interface SyncActivities {
  /** Turns a definition into a plan and opens the run's rows. Throws UnknownSync, SyncOff or InvalidInput. */
  planRun(input: PlanRunInput): Promise<RunPlan>;
  /** Asks the source whether it lets us in. Throws `Source…` failures. */
  testConnection(input: TestConnectionInput): Promise<void>;
  /** Source → parse → validate → staging table; bad rows → quarantine. Throws `Source…` failures, SourceThrottled with an AskedWait. */
  stageTable(input: StageInput): Promise<Staged>;
  /** Compares staging with live and lets the guards decide. */
  reviewTable(input: ReviewInput): Promise<Review>;
  /** Writes new and changed rows in one transaction. */
  mergeStaged(input: MergeInput): Promise<Merged>;
  /** Moves rows that vanished from the source, or ended long enough ago, to the archive, in one transaction. */
  archiveMissing(input: ArchiveInput): Promise<Archived>;
  enrichTable(input: StepInput): Promise<StepResult>;
  deriveTable(input: StepInput): Promise<StepResult>;
  /** Records how a table ended. */
  closeTable(input: CloseTableInput): Promise<void>;
  /** Makes the staging of held tables survive a crash of the database. */
  keepStaging(input: HoldTablesInput): Promise<void>;
  /** Ends the run's row, drops its staging (unless held) and returns the result. */
  finishRun(input: FinishRunInput): Promise<FinishedRun>;
  /** Ends the rows of runs whose workflow is gone. Returns how many. */
  sweepRuns(): Promise<number>;
}

/** How the sending of notifications goes. */
export interface DeliveryCounts {
  readonly sent: number;
  /** Refused for good, or given up. */
  readonly failed: number;
  /** Milliseconds until the next attempt; null when nothing waits. */
  readonly nextInMs: number | null;
}

/** Activities about notifications. */
export interface NotifyActivities {
  /** Sends what is due. A channel that refuses it is no failure of this step. */
  deliverNotifications(): Promise<DeliveryCounts>;
}
