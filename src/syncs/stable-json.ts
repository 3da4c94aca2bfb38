/** JSON whose text depends on the content alone, not on the order in which a source names its fields. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** An escape for NUL or half a character; an escaped backslash before it makes it plain text. */
const REFUSED_BY_JSONB = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Whether PostgreSQL can't store a JSON text, because a text in it has NUL or half a character. */
export const refusedByJsonb = (json: string): boolean => REFUSED_BY_JSONB.test(json);
