import { copyValue } from '../db/copy-text.ts';
import type { CopyBytes } from '../db/copy-bytes.ts';
import { type CellsInPlace, cellText, type SourceRow } from '../domain/source.ts';
import { cellReader } from './columns.ts';
import type { CopyCell } from './copy-cell.ts';
import { dayIn } from './days.ts';
import { computedOf, type TableDefinition } from './define-sync.ts';

/** Writes the columns of one row for COPY; false for a row that only `validateRow` can judge. */
export type WriteQuickly = (row: SourceRow, columns: CopyBytes) => boolean;

const TAB = 9;
const BACKSLASH = 0x5c;
const UPPER_N = 0x4e;

/**
 * Validates rows of text and encodes them in one go, without an object for each: most rows of a large export
 * are good, and this takes a fraction of the time. A row with anything wrong is left to `validateRow`, which
 * knows how to say what; so is every row when the columns of the definition are not those of ./columns.ts, or
 * come in another order.
 *
 * @param columns the order of the cells of a row
 * @param today the day (YYYY-MM-DD) of the run in the sync's zone; the present one in UTC when absent
 */
export function writeQuickly(
  table: TableDefinition,
  columns: readonly string[],
  today = dayIn('UTC', new Date()),
): WriteQuickly {
  const { row, check } = table;
  const names = Object.keys(row.shape);
  const readers = names.flatMap((name) => cellReader(row.shape[name]) ?? []);
  const sameOrder = columns.length === names.length && names.every((name, at) => name === columns[at]);
  if (!sameOrder || readers.length < names.length) return () => false;
  const makers = Object.values(computedOf(table));
  const wantsValues = makers.length > 0 || check !== undefined;
  let fits = true;
  const issues = { addIssue: () => void (fits = false) };
  // One for all rows: whoever is given it reads it at once.
  const values: Record<string, unknown> = {};
  return (given, out) => {
    const { inPlace } = given;
    // Asked for only where they are texts already: making them takes longer than all the rest.
    const cells = inPlace ? undefined : given.cells;
    if (!inPlace && !cells) return false;
    fits = true;
    for (let at = 0; at < readers.length; at += 1) {
      if (at > 0) out.writeByte(TAB);
      const reader = readers[at];
      if (inPlace && reader?.copy && !wantsValues && copied(reader.copy, inPlace, at, out)) continue;
      const value = reader?.read(inPlace ? cellText(inPlace, at) : cells?.[at], issues);
      if (!fits) return false;
      if (wantsValues) values[names[at] ?? ''] = value;
      out.write(copyValue(value));
    }
    if (check && check(values, today).length > 0) return false;
    for (const make of makers) {
      out.writeByte(TAB);
      out.write(copyValue(make(values)));
    }
    return true;
  };
}

/** Whether one cell could be copied as it is; else nothing is written. */
function copied(copy: CopyCell, { bytes, bounds, at }: CellsInPlace, index: number, out: CopyBytes): boolean {
  const from = bounds[at + 2 * index] ?? 0;
  if (from < 0) return false;
  const start = out.length;
  switch (copy(out, bytes, from, bounds[at + 2 * index + 1] ?? from)) {
    case 'written':
      return true;
    case 'null':
      out.writeByte(BACKSLASH);
      out.writeByte(UPPER_N);
      return true;
    case 'other':
      out.length = start;
      return false;
  }
}
