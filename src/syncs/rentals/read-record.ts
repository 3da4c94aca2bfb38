import type { SourceRow } from '../../domain/source.ts';

const FIELD_LENGTH_MAX = 1024 * 1024;

/** One entry of an answer as a row; what is no record, or what PostgreSQL can't store, is unreadable. */
export function readRecord(
  entry: unknown,
  position: number,
  valuesOf: (record: Readonly<Record<string, unknown>>) => Readonly<Record<string, string>>,
): SourceRow {
  const raw = JSON.stringify(entry);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return { position, values: {}, raw, unreadable: 'this entry of the answer is not a record' };
  }
  const values = valuesOf(entry as Readonly<Record<string, unknown>>);
  const texts = Object.values(values);
  if (texts.some((text) => text.includes('\0'))) {
    return {
      position,
      values: {},
      raw,
      unreadable: 'a text in it has a NUL, which PostgreSQL can not store',
    };
  }
  if (texts.some((text) => text.length > FIELD_LENGTH_MAX)) {
    return { position, values: {}, raw: raw.slice(0, 4_096), unreadable: 'a text in it is longer than 1 MB' };
  }
  return { position, values, raw };
}
