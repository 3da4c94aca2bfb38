/** One record of a CSV file. A class, so that all records share one shape and none costs a closure. */
export class CsvRecord {
  /** 1-based physical line on which the record starts. */
  readonly position: number;
  /** Of an unreadable record only as far as it could be split. */
  readonly cells: readonly string[];
  /** The record's own text without its line end; of an unreadable one at most 4 kB, NUL shown as ␀. */
  readonly raw: string;
  /** Why the record can't be used; undefined for one that can. */
  readonly unreadable: string | undefined;
  /** The file ends right after this record, without a line end: it may have been cut off. */
  readonly endsWithoutLineEnd: boolean;

  constructor(
    position: number,
    cells: readonly string[],
    raw: string,
    unreadable: string | undefined,
    endsWithoutLineEnd: boolean,
  ) {
    this.position = position;
    this.cells = cells;
    this.raw = raw;
    this.unreadable = unreadable;
    this.endsWithoutLineEnd = endsWithoutLineEnd;
  }
}

const UNREADABLE_RAW_BYTES = 4096;

/** The text of an unreadable record as it is kept: short, storable, and not a slice that keeps its block alive. */
export function shortened(raw: string): string {
  const kept = Buffer.alloc(UNREADABLE_RAW_BYTES);
  const bytes = kept.write(raw);
  return kept.toString('utf8', 0, bytes).replaceAll('\0', '␀');
}
