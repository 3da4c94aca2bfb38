import type { z } from 'zod';
import type { SourceRow } from '../domain/source.ts';
import { dayIn } from './days.ts';
import { type ColumnTexts, computedOf, type TableDefinition } from './define-sync.ts';

export type RowVerdict =
  | { readonly kind: 'valid'; readonly values: ColumnTexts }
  /** `key` is what identifies the live row it stands for, when that much could be read. */
  | { readonly kind: 'quarantined'; readonly reasons: readonly string[]; readonly key: ColumnTexts | null };

/**
 * Validates one row. A bad row is a value, not an exception.
 *
 * @param today the day (YYYY-MM-DD) of the run in the sync's zone; the present one in UTC when absent
 */
export function validateRow(
  table: TableDefinition,
  row: SourceRow,
  today = dayIn('UTC', new Date()),
): RowVerdict {
  if (row.unreadable !== undefined) return { kind: 'quarantined', reasons: [row.unreadable], key: null };
  if (row.refused) return { kind: 'quarantined', reasons: row.refused, key: null };
  const parsed = table.row.safeParse(row.values);
  if (parsed.success) {
    const wrong = table.check?.(parsed.data, today) ?? [];
    if (wrong.length > 0) return { kind: 'quarantined', reasons: wrong, key: readKey(table, row) };
    return { kind: 'valid', values: withComputed(table, parsed.data) };
  }
  return { kind: 'quarantined', reasons: reasonsOf(parsed.error), key: readKey(table, row) };
}

/** What is wrong, each reason beginning with the name of a column. */
export const reasonsOf = ({ issues }: z.ZodError): string[] =>
  issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);

function withComputed(table: TableDefinition, values: ColumnTexts): ColumnTexts {
  const made = Object.entries(computedOf(table)).map(([column, make]) => [column, make(values)]);
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
