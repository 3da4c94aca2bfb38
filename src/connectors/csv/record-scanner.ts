import { type CsvRecord, shortened, TextRecord } from './csv-record.ts';
import { splitPlain } from './plain-records.ts';
import { blockKind, decodeUtf8, decodeWindows1252, isUtf8Bytes } from './record-text.ts';
import type { BlockKind, TextEncoding } from './record-text.ts';

const QUOTE = 34;
const CARRIAGE_RETURN = 13;
const NON_ASCII = /[^\0-\x7f]/;

export interface ScannerOptions {
  readonly delimiter: string;
  readonly maxFieldBytes: number;
  readonly encoding: TextEncoding;
}

export interface Scan {
  readonly records: CsvRecord[];
  /** How much of the block those records take up. The rest is the beginning of a record. */
  readonly consumedBytes: number;
  /** The line on which the unfinished record opened its quote; null when nothing is open. */
  readonly quoteOpenedOn: number | null;
}

/**
 * Splits blocks of a file into records, block after block; knows the line it is on and the encoding.
 * Every block ends at a line end, except the last one of the file.
 */
export class RecordScanner {
  readonly #delimiter: string;
  readonly #delimiterCode: number;
  readonly #maxFieldBytes: number;
  #encoding: TextEncoding;
  #line = 1;

  #text = '';
  #kind: BlockKind = 'ascii';
  #hasNul = false;
  /** Quoting was found to be wrong here: every record that is still open when it enters this part is wrong too. */
  #wrongUntil = -1;
  #nextQuote = -1;
  #nextDelimiter = -1;

  #cells: string[] = [];
  #end = 0;

  constructor({ delimiter, maxFieldBytes, encoding }: ScannerOptions) {
    this.#delimiter = delimiter;
    this.#delimiterCode = delimiter.charCodeAt(0);
    this.#maxFieldBytes = maxFieldBytes;
    this.#encoding = encoding;
  }

  /** The physical line on which the next record starts. */
  get line(): number {
    return this.#line;
  }

  scan(block: Buffer): Scan {
    this.#hasNul = block.includes(0);
    this.#kind = blockKind(block, this.#encoding);
    if (this.#kind === 'utf-8') this.#encoding = 'utf-8';
    if (this.#hasNul || this.#kind === 'bytes') return this.#scanText(block);
    const plain = splitPlain(block, {
      delimiterCode: this.#delimiterCode,
      maxFieldBytes: this.#maxFieldBytes,
      line: this.#line,
    });
    this.#line = plain.line;
    const { records, consumedBytes, quoteOpenedOn } = this.#scanText(block.subarray(plain.consumedBytes));
    return {
      records: records.length === 0 ? plain.records : [...plain.records, ...records],
      consumedBytes: plain.consumedBytes + consumedBytes,
      quoteOpenedOn,
    };
  }

  /** Splits records of every kind, with a look at each. */
  #scanText(block: Buffer): Scan {
    const text = block.toString(this.#kind === 'utf-8' ? 'utf8' : 'latin1');
    this.#text = text;
    this.#wrongUntil = -1;
    this.#nextQuote = text.indexOf('"');
    this.#nextDelimiter = -1;

    const records: CsvRecord[] = [];
    let start = 0;
    while (start < text.length) {
      const lineEnd = this.#lineEndFrom(start);
      if (this.#nextQuote < start) this.#nextQuote = indexOrEnd(text, '"', start);
      const nextDelimiter = this.#nextDelimiter;
      const found = this.#nextQuote >= lineEnd ? 'line' : this.#splitQuoted(start, lineEnd);
      if (found === 'open') {
        const quoteOpenedOn = this.#line + countLineEnds(text, start, this.#end);
        return { records, consumedBytes: this.#byteLength(text.slice(0, start)), quoteOpenedOn };
      }
      const end = found === 'record' ? this.#end : lineEnd;
      const raw = text.slice(start, this.#withoutReturn(start, end));
      if (found === 'line') {
        const cells = raw.split(this.#delimiter);
        if (cells.length > 1 || raw.trim() !== '') records.push(this.#record(raw, cells, end));
      } else if (found === 'record') {
        records.push(this.#record(raw, this.#cells, end));
      } else {
        // Reading goes on before the point it had come to.
        this.#nextDelimiter = nextDelimiter;
        const reason = `text follows the closing quote of cell ${this.#cells.length}`;
        records.push(this.#unreadable(raw, [], end, reason));
      }
      this.#line += end === lineEnd ? 1 : countLineEnds(text, start, end) + 1;
      start = end + 1;
    }
    return { records, consumedBytes: block.length, quoteOpenedOn: null };
  }

  /** Splits a record that has a quote; leaves its cells, and where it ends or its open quote is, in the fields. */
  #splitQuoted(start: number, firstLineEnd: number): 'record' | 'open' | 'wrong' {
    const text = this.#text;
    const cells: string[] = [];
    this.#cells = cells;
    let lineEnd = firstLineEnd;
    let at = start;
    for (;;) {
      if (text.charCodeAt(at) !== QUOTE) {
        if (this.#nextDelimiter < at) this.#nextDelimiter = indexOrEnd(text, this.#delimiter, at);
        if (this.#nextDelimiter >= lineEnd) {
          cells.push(text.slice(at, this.#withoutReturn(at, lineEnd)));
          this.#end = lineEnd;
          return 'record';
        }
        cells.push(text.slice(at, this.#nextDelimiter));
        at = this.#nextDelimiter + 1;
        continue;
      }
      let close = text.indexOf('"', at + 1);
      let hasEscapes = false;
      while (close !== -1 && text.charCodeAt(close + 1) === QUOTE) {
        hasEscapes = true;
        close = text.indexOf('"', close + 2);
      }
      if (close === -1) {
        this.#end = at;
        return 'open';
      }
      const cell = text.slice(at + 1, close);
      cells.push(hasEscapes ? cell.replaceAll('""', '"') : cell);
      if (close > lineEnd) {
        // An earlier record was open at this line end too and came to a wrong end: this one can only follow it.
        if (lineEnd < this.#wrongUntil) return 'wrong';
        lineEnd = this.#lineEndFrom(close);
      }
      at = close + 1;
      if (text.charCodeAt(at) === this.#delimiterCode) {
        at += 1;
        continue;
      }
      if (at !== this.#withoutReturn(at, lineEnd)) {
        this.#wrongUntil = Math.max(this.#wrongUntil, at);
        return 'wrong';
      }
      this.#end = lineEnd;
      return 'record';
    }
  }

  #record(raw: string, cells: string[], end: number): CsvRecord {
    if (this.#hasNul && raw.includes('\0')) return this.#unreadable(raw, cells, end, 'contains a NUL byte');
    // Three bytes is the most a UTF-16 unit takes up in UTF-8.
    if (raw.length * 3 > this.#maxFieldBytes) {
      const large = cells.findIndex((cell) => this.#byteLength(cell) > this.#maxFieldBytes);
      if (large !== -1) {
        const bytes = this.#byteLength(cells[large] ?? '');
        const reason = `cell ${large + 1} has ${bytes} bytes, more than ${this.#maxFieldBytes}`;
        return this.#unreadable(raw, cells.map(shortened), end, reason);
      }
    }
    const isLast = end === this.#text.length;
    if (this.#kind !== 'bytes' || !NON_ASCII.test(raw)) {
      return new TextRecord(this.#line, cells, raw, undefined, isLast);
    }
    const isUtf8 = isUtf8Bytes(raw);
    if (this.#encoding === 'undecided') this.#encoding = isUtf8 ? 'utf-8' : 'windows-1252';
    if (this.#encoding === 'utf-8' && !isUtf8) {
      return this.#unreadable(raw, cells.map(decodeUtf8), end, 'contains bytes that are not UTF-8');
    }
    const decode = this.#encoding === 'utf-8' ? decodeUtf8 : decodeWindows1252;
    return new TextRecord(this.#line, cells.map(decode), decode(raw), undefined, isLast);
  }

  /** The cells of wrong quoting are none; otherwise their number tells whether the row was whole. */
  #unreadable(raw: string, cells: string[], end: number, reason: string): CsvRecord {
    const decode = this.#encoding === 'windows-1252' ? decodeWindows1252 : decodeUtf8;
    const text = this.#kind === 'bytes' ? decode(raw) : raw;
    return new TextRecord(this.#line, cells, shortened(text), reason, end === this.#text.length);
  }

  #byteLength(cell: string): number {
    return this.#kind === 'utf-8' ? Buffer.byteLength(cell) : cell.length;
  }

  #lineEndFrom(at: number): number {
    return indexOrEnd(this.#text, '\n', at);
  }

  #withoutReturn(start: number, end: number): number {
    return end > start && this.#text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
  }
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const index = text.indexOf(wanted, from);
  return index === -1 ? text.length : index;
}

function countLineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
