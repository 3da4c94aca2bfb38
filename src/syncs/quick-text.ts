import { copyValue } from '../db/copy-text.ts';
import { cellReaders } from './columns.ts';
import type { TableDefinition } from './define-sync.ts';

/** The columns of one row as text for COPY, or null for a row that only `validateRow` can judge. */
export type QuickText = (cells: readonly string[]) => string | null;

/**
 * Validates rows of text and encodes them in one go, without an object for each: most rows of a large export
 * are good, and this takes a fraction of the time. A row with anything wrong is left to `validateRow`, which
 * knows how to say what; so is every row when the columns of the definition are not those of ./columns.ts, or
 * come in another order.
 */
export function quickText({ row, computed }: TableDefinition, columns: readonly string[]): QuickText {
  const names = Object.keys(row.shape);
  const readers = names.flatMap((name) => cellReaders.get(row.shape[name])?.read ?? []);
  const sameOrder = columns.length === names.length && names.every((name, at) => name === columns[at]);
  if (computed || !sameOrder || readers.length < names.length) return () => null;
  let fits = true;
  const issues = { addIssue: () => void (fits = false) };
  const texts: string[] = names.map(() => '');
  return (cells) => {
    fits = true;
    for (let at = 0; at < readers.length; at += 1) {
      texts[at] = copyValue(readers[at]?.(cells[at], issues));
    }
    return fits ? texts.join('\t') : null;
  };
}
