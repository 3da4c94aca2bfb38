import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SyncFailure } from '../domain/failures.ts';

/** What the other side allows: `burst` calls at once, and `perSecond` more with time. */
export interface RateLimit {
  /** What is limited, shown in errors, such as 'amazon searchOrders'. */
  readonly name: string;
  /** Who shares it, such as seller, app and region; only a hash of them is stored. */
  readonly sharedBy: readonly string[];
  readonly perSecond: number;
  readonly burst: number;
}

/** A turn that comes sooner than this is waited for here. */
const WAIT_MAX_SECONDS = 2;

/** Left unused: calls arrive after their turn, not all equally late, so the other side counts some closer together. */
const SPARE_TURNS = 1;

/** $2 tokens a second, never more than $3. A clock that went back adds none. */
const REFILLED = `least($3::float8, bucket.tokens + $2::float8 *
  greatest(0, extract(epoch FROM statement_timestamp() - bucket.updated_at)::float8))`;

/**
 * Takes one token, into debt if its time is near: whoever comes first is served first. A refusal writes nothing.
 * `tokens` is what is left after the call, so a negative one is the wait for it.
 */
const TAKE_TOKEN = `
  WITH taken AS (
    INSERT INTO durasync.rate_buckets AS bucket (key, tokens, updated_at)
    VALUES ($1, $3::float8 - 1, statement_timestamp())
    ON CONFLICT (key) DO UPDATE SET
      tokens = ${REFILLED} - 1,
      updated_at = greatest(bucket.updated_at, statement_timestamp())
    WHERE ${REFILLED} - 1 >= -$4::float8
    RETURNING tokens
  )
  SELECT tokens, true AS taken FROM taken
  UNION ALL
  SELECT ${REFILLED} - 1, false
  FROM durasync.rate_buckets AS bucket
  WHERE key = $1 AND NOT EXISTS (SELECT FROM taken)`;

/**
 * Waits for the next turn under a limit that all workers of this database share; time is the database's. One turn of
 * a burst is kept back. Call it once for every call that the limit counts: a turn that is not used, also by an abort,
 * is lost.
 *
 * @throws SyncFailure SourceThrottled with `retryAfterMs`, without a turn, when it would come later than in
 *   two seconds; the signal's reason when aborted
 */
export async function takeTurn(pool: pg.Pool, limit: RateLimit, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { name, sharedBy, perSecond, burst } = limit;
  const owner = createHash('sha256').update(JSON.stringify(sharedBy)).digest('hex').slice(0, 32);
  const { rows } = await pool.query<{ tokens: number; taken: boolean }>({
    name: 'take-rate-token',
    text: TAKE_TOKEN,
    values: [`${name}/${owner}`, perSecond, Math.max(1, burst - SPARE_TURNS), WAIT_MAX_SECONDS * perSecond],
  });
  // No row: the bucket was made and emptied by others while this statement ran.
  const { tokens, taken } = rows[0] ?? { tokens: -1, taken: false };
  const waitMs = Math.ceil((Math.max(0, -tokens) / perSecond) * 1000);
  if (!taken) {
    throw new SyncFailure(
      'SourceThrottled',
      `${name}: its rate limit is used up. The next turn is in ${Math.ceil(waitMs / 1000)} s.`,
      { retryAfterMs: waitMs },
    );
  }
  if (waitMs === 0) return;
  try {
    await sleep(waitMs, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
