import { copyValue } from '../db/copy-text.ts';
import type { CopyBytes } from '../db/copy-bytes.ts';
import { cellText, type SourceRow } from '../domain/source.ts';
import { cellReader } from './columns.ts';
import type { TableDefinition } from './define-sync.ts';

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
 */
export function writeQuickly({ row, computed }: TableDefinition, columns: readonly string[]): WriteQuickly {
  const names = Object.keys(row.shape);
  const readers = names.flatMap((name) => cellReader(row.shape[name]) ?? []);
  const sameOrder = columns.length === names.length && names.every((name, at) => name === columns[at]);
  if (computed || !sameOrder || readers.length < names.length) return () => false;
  let fits = true;
  const issues = { addIssue: () => void (fits = false) };
  return (given, out) => {
    fits = true;
    const { inPlace } = given;
    const cells = inPlace ? [] : (given.cells ?? []);
    let index = 0;
    for (const { read, copy } of readers) {
      if (index > 0) out.writeByte(TAB);
      const start = out.length;
      const from = inPlace ? (inPlace.bounds[inPlace.at + 2 * index] ?? -1) : -1;
      const outcome =
        inPlace && copy && from >= 0
          ? copy(out, inPlace.bytes, from, inPlace.bounds[inPlace.at + 2 * index + 1] ?? from)
          : 'other';
      if (outcome === 'null') {
        out.writeByte(BACKSLASH);
        out.writeByte(UPPER_N);
      }
      if (outcome === 'other') {
        out.length = start;
        out.write(copyValue(read(inPlace ? cellText(inPlace, index) : cells[index], issues)));
        if (!fits) return false;
      }
      index += 1;
    }
    return inPlace !== undefined || given.cells !== undefined;
  };
}
