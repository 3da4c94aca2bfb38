/** A column of a feed. */
export interface CsvColumn {
  /** The live column, and the key in a row's values. */
  readonly name: string;
  /** As the export calls it. */
  readonly header: string;
  readonly aliases?: readonly string[];
  /** A header without this column fails the table. */
  readonly required?: boolean;
}

export interface HeaderMatch {
  /** For each column of the feed the index of its cell, -1 for a column the header lacks. */
  readonly cellOf: readonly number[];
  /** The cells that no column of the feed took, as the header names them. */
  readonly unknown: readonly string[];
}

/** Matches a header row to the columns; null when fewer than half of its cells are known names. */
export function matchHeader(cells: readonly string[], columns: readonly CsvColumn[]): HeaderMatch | null {
  const known = new Set(columns.flatMap((column) => namesOf(column)));
  const found = cells.map(normalised);
  const knownCells = found.filter((cell) => known.has(cell)).length;
  if (knownCells === 0 || knownCells * 2 < cells.length) return null;

  const taken = new Set<number>();
  const cellOf = columns.map((column) => {
    for (const name of namesOf(column)) {
      const index = found.findIndex((cell, at) => cell === name && !taken.has(at));
      if (index === -1) continue;
      taken.add(index);
      return index;
    }
    return -1;
  });
  const unknown = cells.flatMap((cell, at) => (taken.has(at) ? [] : [cell.trim() || `column ${at + 1}`]));
  return { cellOf, unknown };
}

/** The column's own names come before its aliases, so that an alias never takes the place of the real one. */
function namesOf({ name, header, aliases = [] }: CsvColumn): string[] {
  return [header, name, ...aliases].map(normalised);
}

/** Lower case, letters and digits only; a name without any ('#') stays as it is. */
function normalised(name: string): string {
  const text = name.trim().toLowerCase();
  return text.replace(/[^\p{L}\p{N}]/gu, '') || text;
}
