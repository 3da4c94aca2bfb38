import { copyValue } from '../db/copy-text.ts';
import { cellReaders } from './columns.ts';
import { dayIn } from './days.ts';
import { computedOf, type TableDefinition } from './define-sync.ts';

/** The columns of one row as text for COPY, or null for a row that only `validateRow` can judge. */
export type QuickText = (cells: readonly string[]) => string | null;

/**
 * Validates rows of text and encodes them in one go, without an object for each: most rows of a large export
 * are good, and this takes a fraction of the time. A row with anything wrong is left to `validateRow`, which
 * knows how to say what; so is every row when the columns of the definition are not those of ./columns.ts, or
 * come in another order.
 *
 * @param today the day (YYYY-MM-DD) of the run in the sync's zone; the present one in UTC when absent
 */
export function quickText(
  table: TableDefinition,
  columns: readonly string[],
  today = dayIn('UTC', new Date()),
): QuickText {
  const { row, check } = table;
  const names = Object.keys(row.shape);
  const readers = names.flatMap((name) => cellReaders.get(row.shape[name])?.read ?? []);
  const sameOrder = columns.length === names.length && names.every((name, at) => name === columns[at]);
  if (!sameOrder || readers.length < names.length) return () => null;
  const makers = Object.values(computedOf(table));
  const wantsValues = makers.length > 0 || check !== undefined;
  let fits = true;
  const issues = { addIssue: () => void (fits = false) };
  const texts: string[] = [...names, ...makers].map(() => '');
  // One for all rows: whoever is given it reads it at once.
  const values: Record<string, unknown> = {};
  return (cells) => {
    fits = true;
    for (let at = 0; at < readers.length; at += 1) {
      const value = readers[at]?.(cells[at], issues);
      if (wantsValues) values[names[at] ?? ''] = value;
      texts[at] = copyValue(value);
    }
    if (!fits || (check && check(values, today).length > 0)) return null;
    for (let at = 0; at < makers.length; at += 1)
      texts[readers.length + at] = copyValue(makers[at]?.(values));
    return texts.join('\t');
  };
}
