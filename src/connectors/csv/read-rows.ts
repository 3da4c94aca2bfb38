import { SyncFailure } from '../../domain/failures.ts';
import type { CellsInPlace, SourcePage, SourceRow } from '../../domain/source.ts';
import type { CsvRecord } from './csv-record.ts';
import { decideLayout } from './decide-layout.ts';
import type { CsvLayout } from './decide-layout.ts';
import type { CsvColumn } from './match-header.ts';
import { readRecords } from './read-records.ts';
import type { CsvDelimiter } from './read-records.ts';
import { refuseOtherContent } from './recognise-content.ts';

export interface RowsOptions {
  /** How errors name the file. */
  readonly source: string;
  /** In the order of the export. */
  readonly columns: readonly CsvColumn[];
  readonly delimiter?: CsvDelimiter;
  readonly pageRows?: number;
  readonly encodingFallback?: 'windows-1252';
}

/** Header or not, drift and the number of cells are decided from this many rows, and kept. */
const SAMPLE_ROWS = 1000;
/** Few, because rows that are soon forgotten cost the garbage collector next to nothing. */
const PAGE_ROWS = 500;
/** A page of very long rows ends earlier, so that its size in memory stays bounded. */
const PAGE_TEXT_LENGTH = 32 * 1024 * 1024;
const NO_VALUES: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * Reads a CSV file as pages of rows with values by column name; at least one page, in constant memory. Values
 * are the cells as they are; a column that the file lacks is ''.
 *
 * @throws SyncFailure FileUnreadable, MissingColumn or SourceTruncated when the file as a whole can't be used
 */
export async function* readRows(
  chunks: AsyncIterable<Buffer>,
  options: RowsOptions,
): AsyncGenerator<SourcePage, void, undefined> {
  const { source, columns, delimiter = ',', encodingFallback, pageRows = PAGE_ROWS } = options;
  const content = refuseOtherContent(source, chunks);
  let waiting: CsvRecord[] = [];
  let pages: Pages | null = null;
  for await (const records of readRecords(content, { source, delimiter, encodingFallback })) {
    waiting = waiting.length === 0 ? records : waiting.concat(records);
    if (pages === null && waiting.length < SAMPLE_ROWS) continue;
    pages ??= new Pages(source, columns, decideLayout(waiting, { source, columns, delimiter }), pageRows);
    yield* pages.add(waiting);
    waiting = [];
  }
  pages ??= new Pages(source, columns, decideLayout(waiting, { source, columns, delimiter }), pageRows);
  yield* pages.add(waiting);
  yield* pages.end();
}

/** A row that makes texts of its cells only for those who ask for them. */
class CsvRow implements SourceRow {
  readonly #record: CsvRecord;
  readonly #columns: readonly string[];
  /** For each column the index of its cell; null when that is its own index. */
  readonly #cellOf: readonly number[] | null;

  constructor(record: CsvRecord, columns: readonly string[], cellOf: readonly number[] | null) {
    this.#record = record;
    this.#columns = columns;
    this.#cellOf = cellOf;
  }

  get position(): number {
    return this.#record.position;
  }

  get raw(): string {
    return this.#record.raw;
  }

  get cells(): readonly string[] {
    const { cells } = this.#record;
    return this.#cellOf === null ? cells : this.#cellOf.map((at) => cells[at] ?? '');
  }

  get inPlace(): CellsInPlace | undefined {
    return this.#cellOf === null ? this.#record.inPlace : undefined;
  }

  get values(): Readonly<Record<string, string>> {
    const { cells } = this;
    return Object.fromEntries(this.#columns.map((name, at) => [name, cells[at] ?? '']));
  }
}

class Pages {
  readonly #source: string;
  readonly #names: readonly string[];
  readonly #layout: CsvLayout;
  readonly #pageRows: number;
  #rows: SourceRow[] = [];
  /** Null when the cells of the file are exactly those of the columns, in their order. */
  readonly #cellOf: readonly number[] | null;
  #textLength = 0;
  #given = 0;
  #headerIsNext: boolean;

  constructor(source: string, columns: readonly CsvColumn[], layout: CsvLayout, pageRows: number) {
    this.#source = source;
    this.#names = columns.map(({ name }) => name);
    const { cellOf, width } = layout;
    const hasOwnOrder = width === cellOf.length && cellOf.every((cell, at) => cell === at);
    this.#cellOf = hasOwnOrder ? null : cellOf;
    this.#layout = layout;
    this.#pageRows = pageRows;
    this.#headerIsNext = layout.hasHeader;
  }

  /** Takes records in and gives the pages that became full. */
  *add(records: readonly CsvRecord[]): Iterable<SourcePage> {
    for (const record of records) {
      if (this.#headerIsNext) {
        this.#headerIsNext = false;
        continue;
      }
      this.#rows.push(this.#row(record));
      this.#textLength += record.length;
      if (this.#rows.length === this.#pageRows || this.#textLength > PAGE_TEXT_LENGTH) yield this.#page();
    }
  }

  /** Gives the last page, and an empty one for a file without rows, since that too can have drifted. */
  *end(): Iterable<SourcePage> {
    if (this.#rows.length > 0 || this.#given === 0) yield this.#page();
  }

  #page(): SourcePage {
    const rows = this.#rows;
    const drift = this.#given === 0 ? this.#layout.drift : [];
    this.#rows = [];
    this.#textLength = 0;
    this.#given += 1;
    const page: SourcePage = { rows, columns: this.#names, nextCursor: null };
    return drift.length === 0 ? page : { ...page, drift };
  }

  #row(record: CsvRecord): SourceRow {
    const { width, widthOf } = this.#layout;
    const { position, unreadable } = record;
    if (record.endsWithoutLineEnd && record.width > 0 && record.width < width) {
      throw new SyncFailure(
        'SourceTruncated',
        `${this.#source}: the last line (${position}) has no line end and ${record.width} of ${width} cells, ` +
          `so the file was cut off. It is fetched again.`,
      );
    }
    if (unreadable !== undefined) return { position, values: NO_VALUES, raw: record.raw, unreadable };
    if (record.width !== width) {
      const reason = `has ${record.width} cells, ${widthOf} ${width}`;
      return { position, values: NO_VALUES, raw: record.raw, unreadable: reason };
    }
    return new CsvRow(record, this.#names, this.#cellOf);
  }
}
