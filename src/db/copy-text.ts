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
  return copyValue(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

/** One line of the text format: the leading values as they are, then the named columns of `values`. */
export function copyLine(
  leading: string,
  columns: readonly string[],
  values: Readonly<Record<string, unknown>>,
): string {
  let line = leading;
  for (const column of columns) line += `\t${copyValue(values[column])}`;
  return `${line}\n`;
}
