import { createHash } from 'node:crypto';
import type { SourceRow } from '../../domain/source.ts';
import { refusedByJsonb, stableJson } from '../stable-json.ts';
import type { Car } from './read-auction-car.ts';

export interface CarRecord {
  /** The connector that it came through. */
  readonly source: string;
  readonly record: unknown;
  readonly position: number;
  readonly seenAt: Date;
  read(record: unknown, seenAt: Date): Car;
}

/** One record of a source of cars as a row, with everything the source says of it in `payload`. */
export function toRow({ source, record, position, seenAt, read }: CarRecord): SourceRow {
  const raw = stableJson(record);
  const unreadable = whyUnreadable(record, raw);
  if (unreadable !== undefined) return { position, values: {}, raw, unreadable };
  const car = read(record, seenAt);
  // Of what is stored and not only of what came: a new way of reading changes rows too.
  const contentHash = createHash('sha256').update(JSON.stringify(car)).update(raw).digest('base64url');
  const values = {
    source,
    ...car,
    payload: raw,
    content_hash: contentHash,
    seen_at: seenAt.toISOString(),
  };
  return { position, raw, values };
}

function whyUnreadable(record: unknown, raw: string): string | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return 'it is not a car';
  return refusedByJsonb(raw)
    ? 'a text in it has a NUL or half a character, which PostgreSQL can not store'
    : undefined;
}
