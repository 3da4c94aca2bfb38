import { type CellsInPlace, cellText } from '../../domain/source.ts';
import type { CsvRecord } from './csv-record.ts';

const LINE_END = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
/** Enough for most blocks. */
const FIRST_BOUNDS = 32 * 1024;

export interface PlainOptions {
  readonly delimiterCode: number;
  readonly maxFieldBytes: number;
  /** The physical line on which the block starts. */
  readonly line: number;
}

export interface PlainRecords {
  readonly records: CsvRecord[];
  /** Where the first other record starts; the length of the block when there is none. */
  readonly consumedBytes: number;
  /** The line on which it starts. */
  readonly line: number;
}

/**
 * Splits the records at the beginning of a block that need no second look: each ends with its line, is short, and
 * has several cells, bare or properly quoted. Stops before the first other one.
 *
 * @param bytes UTF-8 without NUL
 */
export function splitPlain(bytes: Buffer, options: PlainOptions): PlainRecords {
  const { delimiterCode, maxFieldBytes } = options;
  const records: CsvRecord[] = [];
  const block: Block = { bytes, bounds: new Int32Array(Math.min(bytes.length >> 1, FIRST_BOUNDS)) };
  let bounded = 0;
  let line = options.line;
  let start = 0;
  read: while (start < bytes.length) {
    const first = bounded;
    let at = start;
    let lines = 1;
    for (;;) {
      let from = at;
      let to: number;
      if (bytes[at] === QUOTE) {
        from += 1;
        let hasEscapes = false;
        for (at += 1; ; at += 1) {
          const byte = bytes[at];
          if (byte === undefined || at - start > maxFieldBytes) break read;
          if (byte === LINE_END) lines += 1;
          if (byte !== QUOTE) continue;
          if (bytes[at + 1] !== QUOTE) break;
          hasEscapes = true;
          at += 1;
        }
        to = at;
        if (hasEscapes) from = ~from;
        at += 1;
        if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_END) at += 1;
        if (bytes[at] !== LINE_END && bytes[at] !== delimiterCode) break read;
      } else {
        let byte = bytes[at];
        while (byte !== delimiterCode && byte !== LINE_END && byte !== undefined) byte = bytes[(at += 1)];
        if (byte === undefined) break read;
        to = byte === LINE_END ? withoutReturn(bytes, from, at) : at;
      }
      if (bounded + 2 > block.bounds.length) block.bounds = larger(block.bounds);
      block.bounds[bounded] = from;
      block.bounds[bounded + 1] = to;
      bounded += 2;
      if (bytes[at] === LINE_END) break;
      at += 1;
    }
    const width = (bounded - first) / 2;
    if (width === 1 || at - start > maxFieldBytes) break read;
    records.push(new PlainRecord(line, block, first, width, start, withoutReturn(bytes, start, at)));
    line += lines;
    start = at + 1;
  }
  return { records, consumedBytes: start, line };
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
}

function larger(bounds: Int32Array): Int32Array {
  const copy = new Int32Array(bounds.length * 2 + 2);
  copy.set(bounds);
  return copy;
}

interface Block {
  readonly bytes: Buffer;
  /** Where each cell of its records starts and ends. */
  bounds: Int32Array;
}

/** A record that stays in its block as bytes: most are only checked and passed on. */
class PlainRecord implements CsvRecord, CellsInPlace {
  readonly position: number;
  readonly at: number;
  readonly width: number;
  readonly endsWithoutLineEnd = false;
  readonly #block: Block;
  readonly #start: number;
  readonly #end: number;

  constructor(position: number, block: Block, at: number, width: number, start: number, end: number) {
    this.position = position;
    this.at = at;
    this.width = width;
    this.#block = block;
    this.#start = start;
    this.#end = end;
  }

  get inPlace(): CellsInPlace {
    return this;
  }

  get bytes(): Buffer {
    return this.#block.bytes;
  }

  get bounds(): Int32Array {
    return this.#block.bounds;
  }

  get cells(): string[] {
    return Array.from({ length: this.width }, (_, index) => cellText(this, index));
  }

  get raw(): string {
    return this.bytes.toString('utf8', this.#start, this.#end);
  }

  get length(): number {
    return this.#end - this.#start;
  }
}
