import type { SourceRow } from '../domain/source.ts';
import type { TableDefinition } from './define-sync.ts';

/** The text form of each column's value for COPY, or null. */
type ColumnTexts = Readonly<Record<string, unknown>>;

export type RowVerdict =
  | { readonly kind: 'valid'; readonly values: ColumnTexts }
  /** `key` is what identifies the live row it stands for, when that much could be read. */
  | { readonly kind: 'quarantined'; readonly reasons: readonly string[]; readonly key: ColumnTexts | null };

/** Validates one row. A bad row is a value, not an exception. */
export function validateRow(table: TableDefinition, row: SourceRow): RowVerdict {
  if (row.unreadable !== undefined) return { kind: 'quarantined', reasons: [row.unreadable], key: null };
  const parsed = table.row.safeParse(row.values);
  if (parsed.success) return { kind: 'valid', values: withComputed(table, parsed.data) };
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  return { kind: 'quarantined', reasons, key: readKey(table, row) };
}

function withComputed({ computed = {} }: TableDefinition, values: ColumnTexts): ColumnTexts {
  const made = Object.entries(computed).map(([column, make]) => [column, make(values)]);
  return { ...values, ...Object.fromEntries(made) };
}

function readKey(table: TableDefinition, row: SourceRow): ColumnTexts | null {
  const key: Record<string, unknown> = {};
  for (const column of table.key) {
    const parsed = table.row.shape[column]?.safeParse(row.values[column]);
    if (!parsed?.success || parsed.data === null) return null;
    key[column] = parsed.data;
  }
  return key;
}
