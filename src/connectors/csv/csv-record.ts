import type { CellsInPlace } from '../../domain/source.ts';

/** One record of a CSV file. */
export interface CsvRecord {
  /** 1-based physical line on which the record starts. */
  readonly position: number;
  /** Of an unreadable record only as far as it could be split. */
  readonly cells: readonly string[];
  /** How many cells there are. */
  readonly width: number;
  /** The record's own text without its line end; of an unreadable one at most 4 kB, NUL shown as ␀. */
  readonly raw: string;
  /** The length of that text: in characters, or in the bytes of a plain record. */
  readonly length: number;
  /** Why the record can't be used; undefined for one that can. */
  readonly unreadable?: string | undefined;
  /** The file ends right after this record, without a line end: it may have been cut off. */
  readonly endsWithoutLineEnd: boolean;
  /** The cells as they lie in the file, of a plain record. */
  readonly inPlace?: CellsInPlace;
}

/** A record as texts. A class, so that all records share one shape and none costs a closure. */
export class TextRecord implements CsvRecord {
  readonly position: number;
  readonly cells: readonly string[];
  readonly raw: string;
  readonly unreadable: string | undefined;
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

  get width(): number {
    return this.cells.length;
  }

  get length(): number {
    return this.raw.length;
  }
}

const UNREADABLE_RAW_BYTES = 4096;

/** The text of an unreadable record as it is kept: short, storable, and not a slice that keeps its block alive. */
export function shortened(raw: string): string {
  const kept = Buffer.alloc(UNREADABLE_RAW_BYTES);
  const bytes = kept.write(raw);
  return kept.toString('utf8', 0, bytes).replaceAll('\0', '␀');
}
