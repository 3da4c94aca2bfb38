import { SyncFailure } from '../../domain/failures.ts';
import type { CsvRecord } from './csv-record.ts';
import { matchHeader } from './match-header.ts';
import type { CsvColumn } from './match-header.ts';
import type { CsvDelimiter } from './read-records.ts';
import { RecordScanner } from './record-scanner.ts';

/** Where the cells of each column are. */
export interface CsvLayout {
  readonly hasHeader: boolean;
  /** For each column of the feed the index of its cell, -1 for a column the file lacks. */
  readonly cellOf: readonly number[];
  /** How many cells a good row has. */
  readonly width: number;
  /** What that width comes from, for messages. */
  readonly widthOf: 'the feed has' | 'the header has' | 'the other rows have';
  /** Columns of the file that the feed doesn't know. */
  readonly drift: readonly string[];
}

export interface LayoutOptions {
  readonly source: string;
  readonly columns: readonly CsvColumn[];
  readonly delimiter: CsvDelimiter;
}

const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t', '|'];
const DELIMITER_SAMPLE_ROWS = 100;

/**
 * Decides from the first records of a file how its cells belong to the feed's columns.
 *
 * @throws SyncFailure MissingColumn when the header lacks a required column, FileUnreadable when the records
 *   have another delimiter or can't be rows of this feed, SourceTruncated when the file ends in its header
 */
export function decideLayout(sample: readonly CsvRecord[], options: LayoutOptions): CsvLayout {
  const { source, columns } = options;
  const inOrder = columns.map((_column, at) => at);
  const bare: CsvLayout = {
    hasHeader: false,
    cellOf: inOrder,
    width: columns.length,
    widthOf: 'the feed has',
    drift: [],
  };
  const [first] = sample;
  if (first === undefined) return bare;

  const header = headerLayout(first, options);
  if (header !== null) return header;

  const fitting = sample.filter(({ cells }) => cells.length === columns.length).length;
  const looksLike = fitting * 2 < sample.length ? otherDelimiter(sample, options) : null;
  if (looksLike !== null) {
    throw new SyncFailure(
      'FileUnreadable',
      `${source}: line ${first.position} looks separated by ${shown(looksLike)}, where this feed expects ` +
        `${shown(options.delimiter)}. Correct the export, or the delimiter of the feed.`,
    );
  }
  if (fitting > 0) return bare;

  const width = commonWidth(sample);
  if (width > columns.length) {
    const extra = Array.from(
      { length: width - columns.length },
      (_, at) => `column ${columns.length + at + 1}`,
    );
    return { ...bare, width, widthOf: 'the other rows have', drift: extra };
  }
  if (sample.length === 1 && first.endsWithoutLineEnd && first.cells.length > 1) return bare;
  throw new SyncFailure(
    'FileUnreadable',
    `${source}: no row has the ${columns.length} cells of this feed; line ${first.position} ` +
      `${first.unreadable ?? `has ${first.cells.length}`}. Check that the address gives the right export.`,
  );
}

function headerLayout(first: CsvRecord, { source, columns }: LayoutOptions): CsvLayout | null {
  if (first.unreadable !== undefined) return null;
  const match = matchHeader(first.cells, columns);
  if (match === null) return null;
  const missing = columns.filter(({ required }, at) => required === true && match.cellOf[at] === -1);
  if (missing.length > 0) {
    const names = missing.map(({ header }) => `'${header}'`).join(', ');
    if (first.endsWithoutLineEnd) {
      throw new SyncFailure(
        'SourceTruncated',
        `${source}: the file ends inside its header, before ${names}.`,
      );
    }
    throw new SyncFailure(
      'MissingColumn',
      `${source}: the header on line ${first.position} lacks the required column ${names}. ` +
        `Columns found: ${first.cells.join(', ').slice(0, 1000)}.`,
    );
  }
  const { cellOf, unknown } = match;
  return { hasHeader: true, cellOf, width: first.cells.length, widthOf: 'the header has', drift: unknown };
}

/** The number of cells that every readable record has, else 0. */
function commonWidth(sample: readonly CsvRecord[]): number {
  const widths = new Set(sample.filter((r) => r.unreadable === undefined).map(({ cells }) => cells.length));
  const [width = 0] = widths;
  return widths.size === 1 ? width : 0;
}

/** The delimiter with which most of the first records would have the right number of cells, or a known header. */
function otherDelimiter(sample: readonly CsvRecord[], options: LayoutOptions): CsvDelimiter | null {
  const { columns } = options;
  if (columns.length < 2) return null;
  const first = sample.slice(0, DELIMITER_SAMPLE_ROWS);
  for (const delimiter of DELIMITERS) {
    if (delimiter === options.delimiter) continue;
    const rows = first.map(({ raw }) => split(raw, delimiter));
    const fitting = rows.filter((cells) => cells.length === columns.length).length;
    const hasHeader = matchHeader(rows[0] ?? [], columns) !== null;
    if (hasHeader || fitting * 2 > rows.length) return delimiter;
  }
  return null;
}

function split(raw: string, delimiter: CsvDelimiter): readonly string[] {
  const scanner = new RecordScanner({ delimiter, maxFieldBytes: Infinity, encoding: 'utf-8' });
  return scanner.scan(Buffer.from(raw)).records[0]?.cells ?? [];
}

function shown(delimiter: CsvDelimiter): string {
  return delimiter === '\t' ? 'tabs' : `'${delimiter}'`;
}
