import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';

const pageCursor = z.strictObject({
  /** Shopify's cursor of the page that comes next; null when there is none, or for the first one. */
  after: z.string().nullable(),
  /** Ids of records of earlier pages whose nested list is longer than what came with them. */
  pending: z.array(z.string()),
});

/** Where reading goes on: first with the pending records, one at a time, then with the next page. */
type PageCursor = z.infer<typeof pageCursor>;

/** @throws SyncFailure SourceRefused for a text that did not come from `encodeCursor` */
export function decodeCursor(source: string, text: string): PageCursor {
  try {
    return pageCursor.parse(JSON.parse(text));
  } catch {
    throw new SyncFailure('SourceRefused', `${source}: the kept cursor is not readable. Start a new run.`);
  }
}

/** Null when nothing is left. */
export function encodeCursor(cursor: PageCursor): string | null {
  return cursor.after === null && cursor.pending.length === 0 ? null : JSON.stringify(cursor);
}
