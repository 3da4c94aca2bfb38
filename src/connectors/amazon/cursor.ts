import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';

const cursorSchema = z.object({
  /** Whose pages these are; null where one series of pages covers all marketplaces. */
  marketplace: z.string().nullable(),
  /** Only what changed at or after this instant, fixed when the series began. */
  from: z.string().nullable(),
  /** Null for the first page of the series. */
  token: z.string().nullable(),
  /** When `token` was given (ISO). */
  tokenAt: z.string().nullable(),
  /** Pages and records that the series has given. */
  pages: z.number().int(),
  records: z.number().int(),
  /** Fingerprint of an earlier token, to see a series that goes round in circles. */
  mark: z.string().nullable(),
  /** How often this marketplace was begun again. */
  restarts: z.number().int(),
});

/** Where a data type's next page begins; kept as JSON text between pages, and all that is needed to go on. */
export type Cursor = Readonly<z.infer<typeof cursorSchema>>;

export const firstPage = (marketplace: string | null, from: string | null): Cursor => ({
  marketplace,
  from,
  token: null,
  tokenAt: null,
  pages: 0,
  records: 0,
  mark: null,
  restarts: 0,
});

/** @throws SyncFailure SourceRefused for text that is no cursor of this connector */
export function readCursor(text: string): Cursor {
  try {
    return cursorSchema.parse(JSON.parse(text));
  } catch {
    throw new SyncFailure(
      'SourceRefused',
      'The stored position in the Amazon data cannot be read. Start a new run.',
    );
  }
}

export interface NextPage {
  readonly token: string;
  /** How many records this page had. */
  readonly records: number;
  readonly now: Date;
  /** How to name the operation in an error. */
  readonly source: string;
}

/**
 * The cursor after a page.
 *
 * @throws SyncFailure SourceRefused when the token was given before: its pages would never end
 */
export function nextPage(cursor: Cursor, { token, records, now, source }: NextPage): Cursor {
  const fingerprint = createHash('sha256').update(token).digest('base64url').slice(0, 16);
  if (token === cursor.token || fingerprint === cursor.mark) {
    throw new SyncFailure(
      'SourceRefused',
      `${source}: gave the same page token twice, so its pages would never end. Run the sync again; if it stays so, ask Amazon.`,
    );
  }
  const pages = cursor.pages + 1;
  return {
    ...cursor,
    token,
    tokenAt: now.toISOString(),
    pages,
    records: cursor.records + records,
    // Moving the mark at 1, 2, 4, 8 … pages finds a circle of any length with a single mark (Brent).
    mark: Number.isInteger(Math.log2(pages)) ? fingerprint : cursor.mark,
  };
}
