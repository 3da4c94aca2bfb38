import { SyncFailure } from '../../domain/failures.ts';
import type { SourcePage, SourceRow } from '../../domain/source.ts';
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
const PAGE_ROWS = 2_500;
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

/** A row that makes its record of values only for those who ask for it. */
class CsvRow implements SourceRow {
  readonly position: number;
  readonly cells: readonly string[];
  readonly raw: string;
  readonly columns: readonly string[];

  constructor(position: number, columns: readonly string[], cells: readonly string[], raw: string) {
    this.position = position;
    this.columns = columns;
    this.cells = cells;
    this.raw = raw;
  }

  get values(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.columns.map((name, at) => [name, this.cells[at] ?? '']));
  }
}

class Pages {
  readonly #source: string;
  readonly #names: readonly string[];
  readonly #layout: CsvLayout;
  readonly #pageRows: number;
  #rows: SourceRow[] = [];
  /** The cells of the file are exactly those of the columns, in their order. */
  readonly #hasOwnOrder: boolean;
  #textLength = 0;
  #given = 0;
  #headerIsNext: boolean;

  constructor(source: string, columns: readonly CsvColumn[], layout: CsvLayout, pageRows: number) {
    this.#source = source;
    this.#names = columns.map(({ name }) => name);
    const { cellOf, width } = layout;
    this.#hasOwnOrder = width === cellOf.length && cellOf.every((cell, at) => cell === at);
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
      this.#textLength += record.raw.length;
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

  #row({ position, cells, raw, unreadable, endsWithoutLineEnd }: CsvRecord): SourceRow {
    const { cellOf, width, widthOf } = this.#layout;
    if (endsWithoutLineEnd && cells.length > 0 && cells.length < width) {
      throw new SyncFailure(
        'SourceTruncated',
        `${this.#source}: the last line (${position}) has no line end and ${cells.length} of ${width} cells, ` +
          `so the file was cut off. It is fetched again.`,
      );
    }
    if (unreadable !== undefined) return { position, values: NO_VALUES, raw, unreadable };
    if (cells.length !== width) {
      const reason = `has ${cells.length} cells, ${widthOf} ${width}`;
      return { position, values: NO_VALUES, raw, unreadable: reason };
    }
    return new CsvRow(
      position,
      this.#names,
      this.#hasOwnOrder ? cells : cellOf.map((at) => cells[at] ?? ''),
      raw,
    );
  }
}
