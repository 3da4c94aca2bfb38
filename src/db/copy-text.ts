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

const CHUNK_CHARACTERS = 64 * 1024;

/** Rows on their way to a staging table, as bytes: that takes little memory, and leaves nothing to tidy up. */
export class StagedRows {
  readonly #chunks: Buffer[] = [];
  #text = '';

  /**
   * Adds one row of a staging table.
   *
   * @param state `key` for a quarantined row of which only the key is known: it protects the live row from
   *   being archived
   * @param columns from `copyColumns`
   */
  add(position: number, state: 'valid' | 'key', columns: string): void {
    this.#text += `${position}\t${state === 'valid' ? 't' : 'f'}\t${columns}\n`;
    if (this.#text.length > CHUNK_CHARACTERS) this.#cut();
  }

  /** Everything added so far. */
  chunks(): readonly Buffer[] {
    if (this.#text !== '') this.#cut();
    return this.#chunks;
  }

  #cut(): void {
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}
