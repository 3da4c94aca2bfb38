/** Readers for JSON of which every part may be missing, null or of another kind. */

/** A field of what may or may not be an object. */
export const part = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const BLANK = /^(|n\/a|null)$/i;

/** Trimmed text, or null for blank, 'N/A' and everything that is neither text nor a number. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value.trim() : '';
  return BLANK.test(text) ? null : text;
}

/** A text, or that of an object's `name`; null when there is neither. */
export const nameOf = (value: unknown): string | null => textOf(value) ?? textOf(part(value, 'name'));

/** A number, also when it came as text; null for blank, NaN for anything else. */
export function numberOf(value: unknown): number | null {
  const text = textOf(value);
  if (text !== null) return Number(text.replaceAll(',', ''));
  return value === null || value === undefined || typeof value === 'string' ? null : Number.NaN;
}
