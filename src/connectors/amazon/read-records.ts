import type { z } from 'zod';
import type { RejectedRecord, ShopRecord } from '../shop/shop-client.ts';

const RAW_MAX_CHARACTERS = 4000;

/** Reads each item of a page by itself; one that does not fit is rejected with the reason. */
export function readRecords<T>(
  items: readonly unknown[],
  schema: z.ZodType<T>,
  toRecord: (item: T) => ShopRecord,
): { records: ShopRecord[]; rejected: RejectedRecord[] } {
  const records: ShopRecord[] = [];
  const rejected: RejectedRecord[] = [];
  for (const item of items) {
    const parsed = schema.safeParse(item);
    if (parsed.success) {
      records.push(toRecord(parsed.data));
      continue;
    }
    const reasons = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`,
    );
    rejected.push({
      reason: reasons.join('; '),
      raw: (JSON.stringify(item) ?? '').slice(0, RAW_MAX_CHARACTERS),
    });
  }
  return { records, rejected };
}

/** A time as ISO text in UTC, or null when there is none that can be read. */
export function instant(text: string | null | undefined): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
