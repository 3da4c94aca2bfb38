import { CopyBytes } from './copy-bytes.ts';

/** Encodes rows for `COPY … FROM STDIN` in its text format, from text that already has PostgreSQL's form. */

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One column's value: null and undefined are NULL, objects are JSON, everything else its text. */
export function copyValue(value: unknown): string {
  if (typeof value === 'string') {
    return SPECIAL.test(value)
      ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character)
      : value;
  }
  if (value === null || value === undefined) return '\\N';
  return copyValue(JSON.stringify(value));
}

/** The named columns of `values`, in their order. */
export const copyColumns = (columns: readonly string[], values: Readonly<Record<string, unknown>>): string =>
  columns.map((column) => copyValue(values[column])).join('\t');

const CHUNK_BYTES = 64 * 1024;
const TAB = 9;
const LINE_END = 10;
const TRUE = 't'.charCodeAt(0);

/** Rows on their way to a staging table, as bytes: that takes little memory, and leaves nothing to tidy up. */
export class StagedRows {
  readonly #chunks: Buffer[] = [];
  readonly #rows = new CopyBytes();
  #taken = 0;

  /** In bytes. */
  get length(): number {
    return this.#taken + this.#rows.length;
  }

  /**
   * Adds one row of a staging table.
   *
   * @param state `key` for a quarantined row of which only the key is known: it protects the live row from
   *   being archived
   * @param columns from `copyColumns`
   */
  add(position: number, state: 'valid' | 'key', columns: string): void {
    this.#rows.write(`${position}\t${state === 'valid' ? 't' : 'f'}\t${columns}\n`);
    this.#end();
  }

  /**
   * Adds one valid row.
   *
   * @param write writes the row's columns as `copyColumns` does, or returns false: then the row is not added
   */
  addWritten<Row extends { readonly position: number }>(
    row: Row,
    write: (row: Row, columns: CopyBytes) => boolean,
  ): boolean {
    const start = this.#rows.length;
    this.#rows.writeCount(row.position);
    this.#rows.writeByte(TAB);
    this.#rows.writeByte(TRUE);
    this.#rows.writeByte(TAB);
    if (!write(row, this.#rows)) {
      this.#rows.length = start;
      return false;
    }
    this.#rows.writeByte(LINE_END);
    this.#end();
    return true;
  }

  /** Adds the rows of another, which is of no use afterwards. */
  append(next: StagedRows): void {
    this.#cut();
    this.#chunks.push(...next.chunks());
    this.#taken += next.length;
  }

  /** Everything added so far. */
  chunks(): readonly Buffer[] {
    this.#cut();
    return this.#chunks;
  }

  #end(): void {
    if (this.#rows.length > CHUNK_BYTES) this.#cut();
  }

  #cut(): void {
    if (this.#rows.length === 0) return;
    this.#taken += this.#rows.length;
    this.#chunks.push(this.#rows.take());
  }
}
