import type { SourceAgent } from '../connectors/http/create-agent.ts';

/** The cells of a row of text as they lie in its file. */
export interface CellsInPlace {
  /** UTF-8. */
  readonly bytes: Buffer;
  /**
   * Where cells start and end in `bytes`, two numbers for each. Of a cell in which each quote is written twice the
   * start is the complement (`~start`).
   */
  readonly bounds: Int32Array;
  /** Where those of this row begin. */
  readonly at: number;
}

/** The text of one cell. */
export function cellText({ bytes, bounds, at }: CellsInPlace, index: number): string {
  const start = bounds[at + 2 * index] ?? 0;
  const end = bounds[at + 2 * index + 1];
  return start < 0
    ? bytes.toString('utf8', ~start, end).replaceAll('""', '"')
    : bytes.toString('utf8', start, end);
}

/** One row as its source shows it. */
export interface SourceRow {
  /** 1-based line (files) or record number (APIs) within the source. */
  readonly position: number;
  /** Values by column name; empty when the row is unreadable. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The same values in the order of the page's `columns`, for a row of nothing but text. */
  readonly cells?: readonly string[] | undefined;
  /** And as they lie in the file, for a row of one. */
  readonly inPlace?: CellsInPlace | undefined;
  /** The row's own text, for quarantine. */
  readonly raw: string;
  /** Why the row could not be split or decoded; undefined for a row that could. */
  readonly unreadable?: string | undefined;
  /** What is wrong with it, where its values must not be kept until somebody looks at them. */
  readonly refused?: readonly string[] | undefined;
}

/** A batch of rows that is staged and checkpointed in one transaction. */
export interface SourcePage {
  readonly rows: readonly SourceRow[];
  /** The order of the cells of its rows. */
  readonly columns?: readonly string[];
  /**
   * Where the next page begins, opaque to everyone but the source. Null when the source can only be read
   * from its start: a repeated fetch then begins again with an empty staging table.
   */
  readonly nextCursor: string | null;
  /** On the last page: why the source was not read to its end. What it did not show is not missing then. */
  readonly incomplete?: string;
  /** Columns the source shows that the definition does not know. */
  readonly drift?: readonly string[];
  /** On the last page: what a person should hear of this reading, such as a part that could not be read. */
  readonly notices?: readonly string[];
  /** On the last page: up to which day each part of the source has been read now, by the part's name. */
  readonly marks?: Readonly<Record<string, string>>;
}

/** What a source needs to know about the run that reads it. */
export interface SourceContext {
  /** The settings of the sync: environment variables by name, already validated. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Dates `from` (inclusive) to `to` (exclusive), for sources that have windows. */
  readonly window: { readonly from: string; readonly to: string } | null;
  /** Only what changed at or after this instant (ISO); null for all, or when the source cannot tell. */
  readonly since: string | null;
  /** The day (YYYY-MM-DD) up to which each part of the source was merged before, for sources that are read in parts. */
  readonly marks: Readonly<Record<string, string>>;
  /** The day (YYYY-MM-DD) of the run's logical instant in the sync's zone. */
  readonly today: string;
  /** The run asks for everything, not only for what changed. */
  readonly full: boolean;
  /** The worker's HTTP connections. */
  readonly http: SourceAgent;
  readonly signal: AbortSignal;
}

/** Reads an outside system page by page. Reading has no effect there, so it is safe to repeat. */
export interface Source {
  /** The setting that turns this source on; it holds an address or a key, so only its name is ever shown. */
  readonly setting: string;
  /**
   * @param cursor where an earlier attempt stopped, or null for the start
   * @throws SyncFailure with a `Source…`, `FileUnreadable` or `MissingColumn` code
   */
  fetchPages(context: SourceContext, cursor: string | null): AsyncIterable<SourcePage>;
}
