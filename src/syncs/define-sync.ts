import type { SourceAgent } from '../connectors/http/create-agent.ts';
import type { z } from 'zod';
import type { ClientState, EndedRun } from '../domain/clients.ts';
import type { RunSyncInput } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Guards } from '../domain/run-plan.ts';
import type { StepResult } from '../domain/run-result.ts';
import type { Source, SourcePage } from '../domain/source.ts';
import type { DatabaseConnection, Db } from '../db/connect.ts';
import type { Derived, Lifecycle } from '../db/live-table.ts';
import type { ShownBy } from '../db/shown-by.ts';
import type { KeyRing } from '../key-ring.ts';

/** The settings of a sync: its environment variables by name, validated by the definition's schema. */
export type Settings = Readonly<Record<string, unknown>>;

/** What a source needs when it depends on more than settings, such as the credentials of a client. */
export interface SourceResources {
  readonly database: DatabaseConnection;
  readonly keys: KeyRing;
  readonly http: SourceAgent;
  readonly settings: Settings;
  readonly scope: string;
}

/** A source that is opened for each run. */
interface OpenedSource {
  /** What plans and reports call it; not the name of a setting. */
  readonly setting: string;
  open(resources: SourceResources): Promise<Source>;
}

/** A file that a person has uploaded. */
export interface Upload {
  /** As it was called where it came from. */
  readonly fileName: string;
  /** What was said about it besides, such as the store it is from. */
  readonly options: Readonly<Record<string, string>>;
  /** Its bytes from the beginning, in pieces; each call begins anew. */
  read(): AsyncIterable<Buffer>;
}

/** Reads uploaded files, in runs of kind `import`. */
export interface UploadSource {
  readonly setting: 'upload';
  /** What `import` calls such files. */
  readonly kind: string;
  /** The sheet of a workbook that the table is in, for people. */
  readonly sheet?: string;
  /** How the files call the columns, where that differs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The largest file it takes; 50 MB when absent. */
  readonly maxBytes?: number;
  /**
   * Makes what is kept in place of a file that must not be kept as it is; `readUpload` gets what this returns.
   *
   * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
   */
  prepare?(upload: Upload): Promise<Upload>;
  readUpload(upload: Upload): AsyncIterable<SourcePage>;
  /** Rows of a file, as `prepare` made it, that a run would leave out although nothing is wrong with them. */
  findSkipped?(db: Db, upload: Upload): Promise<readonly SkippedRow[]>;
}

/** A good row that is left out, and why. For the person who has the file. */
export interface SkippedRow {
  readonly row: number;
  readonly reason: string;
}

/** The text form of each column's value for COPY, or null. */
export type ColumnTexts = Readonly<Record<string, unknown>>;

/** One live table and the source that feeds it. */
export interface TableDefinition {
  readonly name: string;
  /** Columns that identify a row; each must be in `row`. */
  readonly key: readonly string[];
  /**
   * One schema for each column the source writes. It turns the source's text into the text form of the
   * column's PostgreSQL type, or null. Columns of the live table that are not named here are never touched.
   */
  readonly row: z.ZodObject;
  readonly source: Source | OpenedSource | UploadSource;
  /** Files that people upload, which feed the table besides its source. */
  readonly upload?: UploadSource;
  /**
   * What is wrong with a row whose columns are right each for itself; nothing when it is good. Each reason begins
   * with the name of a column.
   *
   * @param today the day (YYYY-MM-DD) of the run in the sync's zone
   */
  readonly check?: (row: ColumnTexts, today: string) => readonly string[];
  /** Nothing of a row that is quarantined is kept but its position: its columns hold secrets. */
  readonly secret?: true;
  /** Columns made from the others of a valid row. They may be part of the key. */
  readonly computed?: Readonly<Record<string, (row: ColumnTexts) => string>>;
  /** The live table, when several tables of the definition share one; else the table's own name. */
  readonly live?: string;
  /** The columns that tell whether a row has changed; all but the key when absent. */
  readonly compared?: readonly string[];
  /** A column that orders the versions of a row: an older one never replaces a newer one. */
  readonly version?: string;
  /**
   * Each run shows only some of the rows: what changed since the last one that was merged, or what each part of
   * the source has to show since that part was last read.
   */
  readonly incremental?: 'whole' | 'parts';
  /** A row that is live already is left as it is and counted as skipped. */
  readonly existing?: 'skip';
  /** Columns that belong to people once a row is there: written when it is inserted, and never again. */
  readonly insertOnly?: readonly string[];
  /** A table of the schema with the same key columns. Rows that are there are done with: none is created again. */
  readonly settledIn?: string;
  /**
   * Snapshots may be merged in any order, because each row has a `version`. Without it a snapshot that was fetched
   * before the last merged one is discarded as a whole.
   */
  readonly rowwise?: true;
  /** Without its setting an optional table is skipped; any other fails. */
  readonly optional?: boolean;
  /**
   * A column that numbers rows which are equal in all other columns of the key: they are real, and none of them is a
   * duplicate. Part of the key, and of the live table alone.
   */
  readonly ordinal?: string;
  /** The column with a row's day, when each run shows the days of its window whole and nothing of others. */
  readonly day?: string;
  /** For a table that files feed too: where a row keeps who shows it, and what they are called there. */
  readonly shownBy?: ShownBy;
  /** The source shows every row each time, or in full runs only, so a row it stops showing then is archived. */
  readonly archives: boolean | 'in full runs';
  /** How rows end that have a state of their own; one that the source stops showing then only changes its state. */
  readonly lifecycle?: Lifecycle & { readonly keptMs: number };
  /**
   * The columns of the live table that enrich and derive steps fill. What neither they nor the source fill belongs to
   * people: a run can't be undone once one of them has changed it.
   */
  readonly derived?: Derived;
  readonly guards?: Partial<Guards>;
}

/** What an enrich or derive step works with. */
export interface StepContext {
  readonly database: DatabaseConnection;
  readonly runId: RunId;
  /** The run's logical instant, and the zone whose calendar it is read in. */
  readonly logicalAt: Date;
  readonly timeZone: string;
  readonly settings: Settings;
  /** The worker's HTTP connections. */
  readonly http: SourceAgent;
  readonly signal: AbortSignal;
  /** Shows how far the step is, for people. */
  progress(detail: string): void;
  /** Sends what the step has raised (see src/notify) now. */
  wakeNotifications(): Promise<void>;
}

/** Work over the live tables after they were merged. Must be safe to repeat. */
export interface StepDefinition {
  readonly name: string;
  /** Tables that must have ended before the step starts. */
  readonly after: readonly string[];
  run(context: StepContext): Promise<Omit<StepResult, 'step'>>;
}

/** When a Temporal Schedule starts a run. */
export interface ScheduleDefinition {
  readonly id: string;
  /** A time of day in the zone, or a cron text of five fields. */
  readonly at: { readonly hour: number; readonly minute: number } | { readonly cron: string };
  readonly timeZone: string;
  /** How late a missed start is still made up for. */
  readonly catchupWindowMs: number;
  readonly input: RunSyncInput;
}

/** Everything Durasync knows about one sync. */
export interface SyncDefinition {
  readonly name: string;
  readonly title: string;
  /** The PostgreSQL schema of its live tables. */
  readonly schema: string;
  readonly settings: z.ZodObject;
  /** Why its schedules are paused by choice, naming the variable; runs by hand still work. */
  scheduleOff?(settings: Settings): string | undefined;
  timeZone(settings: Settings): string;
  schedules(settings: Settings): readonly ScheduleDefinition[];
  /**
   * Whether a run covers a span of days; only then can it be backfilled. With complete days, a run covers yesterday
   * when it is asked for nothing else, and the last N days end with yesterday.
   */
  readonly windows: 'none' | 'days' | 'complete days';
  /** The usual time between two runs; guards grow with the periods since the last complete one. */
  readonly periodMs: number;
  /** The hard end of a run; it ends itself a little earlier. */
  readonly runTimeoutMs: number | ((settings: Settings) => number);
  readonly tables: readonly TableDefinition[];
  /**
   * For a sync that runs for many scopes, such as connections of clients: the tables a scope has.
   *
   * @throws SyncFailure InvalidInput when there is no such scope
   */
  scopeTables?(database: DatabaseConnection, scope: string): Promise<readonly string[]>;
  /** How people call a scope; undefined when there is no such scope any more. */
  scopeTitle?(db: Db, scope: string): Promise<string | undefined>;
  /**
   * Asks the source of a scope whether it lets us in, before any of its tables is read. Cheap, and safe to repeat.
   *
   * @throws SyncFailure with a `Source…` code, or InvalidInput
   */
  testConnection?(resources: SourceResources, signal: AbortSignal): Promise<void>;
  /** For scopes whose runs are started by the workflow of a client: it learns what a run changed from the run itself. */
  readonly clients?: {
    /** Keeps how a run ended and when the next one is due, in the transaction that ends the run. Safe to repeat. */
    recordRun(tx: Db, scope: string, run: Omit<EndedRun, 'clientId' | 'credentialId'>): Promise<void>;
    /** The client that a scope is of, as it is now; null when it is gone. */
    readClient(db: Db, scope: string): Promise<ClientState | null>;
  };
  /** `one_by_one` where the tables of a run read one outside system that limits us. */
  readonly reads?: 'one_by_one' | 'side_by_side';
  /** A task queue of its own for steps that read its sources, so that slow ones delay no other sync. */
  readonly sourceQueue?: { readonly name: string; concurrency(settings: Settings): number };
  /** Notices that its runs always have: nobody is sent a message about them. */
  readonly routineNotices?: RegExp;
  readonly enrich: readonly StepDefinition[];
  readonly derive: readonly StepDefinition[];
}

/** The columns made from others; a row is the only one of its kind until all are counted. */
export const computedOf = ({
  computed,
  ordinal,
}: TableDefinition): NonNullable<TableDefinition['computed']> =>
  ordinal === undefined ? (computed ?? {}) : { ...computed, [ordinal]: () => '1' };

/** The columns that a table's source writes: those it shows, then those made from them. */
export const columnsOf = (table: TableDefinition): string[] => [
  ...Object.keys(table.row.shape),
  ...Object.keys(computedOf(table)),
];

/** The hard end of a run, in milliseconds. */
export const runTimeoutMs = ({ runTimeoutMs: limit }: SyncDefinition, settings: Settings): number =>
  typeof limit === 'number' ? limit : limit(settings);

/**
 * Declares a sync. Throws at start-up when the definition contradicts itself, so that no run has to find out.
 *
 * @throws Error naming the sync, the table and what is wrong
 */
export function defineSync(definition: SyncDefinition): SyncDefinition {
  const names = new Set(definition.tables.map((table) => table.name));
  for (const table of definition.tables) {
    if (table.rowwise && table.version === undefined) {
      throw new Error(`sync ${definition.name}, table ${table.name}: rowwise needs a version`);
    }
    const columns = columnsOf(table);
    const unknown = table.key.filter((column) => !columns.includes(column));
    if (unknown.length > 0) {
      throw new Error(
        `sync ${definition.name}, table ${table.name}: key columns missing in row: ${unknown.join(', ')}`,
      );
    }
  }
  for (const step of [...definition.enrich, ...definition.derive]) {
    const unknown = step.after.filter((table) => !names.has(table));
    if (unknown.length > 0) {
      throw new Error(
        `sync ${definition.name}, step ${step.name}: unknown tables in after: ${unknown.join(', ')}`,
      );
    }
  }
  return definition;
}
