import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Db } from '../db/connect.ts';
import type { DeliveryCounts } from '../domain/contracts.ts';
import { type Channel, DeliveryError, type Outgoing } from './channel.ts';

export interface DeliverOptions {
  readonly db: Db;
  readonly channels: readonly Channel[];
  readonly log: Pick<Logger, 'warn'>;
  readonly signal: AbortSignal;
  /** Before the second attempt, in milliseconds; the waits double from there. */
  readonly firstWaitMs?: number;
}

const FIRST_WAIT_MS = 15_000;
const WAIT_MAX_MS = 30 * 60_000;
/** What could not be sent for so long is old news. */
const GIVEN_UP_AFTER_MS = 24 * 3_600_000;
/** An attempt that takes longer than this counts as lost, as after the death of its worker. */
const LEASE_SECONDS = 90;
/** One call of this ends in time; what is left is due at once. */
const AT_ONCE_MAX = 20;

/**
 * Sends what is due, each through every channel. Safe to repeat and to run at the same time elsewhere: an attempt is
 * claimed in PostgreSQL first. One whose worker died between sending and noting it is made again.
 */
export async function deliverDue(options: DeliverOptions): Promise<DeliveryCounts> {
  const { db, channels, log, signal, firstWaitMs = FIRST_WAIT_MS } = options;
  await dispatch(db, channels);
  let sent = 0;
  let failed = 0;
  for (let turn = 0; turn < AT_ONCE_MAX; turn += 1) {
    signal.throwIfAborted();
    const claimed = await claimNext(db);
    if (!claimed) break;
    const error = await trySend(channels, claimed, signal);
    const again = error?.passes === true && Date.now() - claimed.createdAt.getTime() < GIVEN_UP_AFTER_MS;
    const waitMs = again ? waitBefore(claimed.attempts, firstWaitMs, error.retryAfterMs) : 0;
    await settle(db, claimed, { error, waitMs: again ? waitMs : null });
    if (!error) sent += 1;
    else if (!again) failed += 1;
    if (error) {
      const { id, channel, attempts } = claimed;
      log.warn({ notification: id, channel: kindOf(channel), attempt: attempts, again }, error.message);
    }
  }
  return { sent, failed, nextInMs: await nextInMs(db) };
}

/** An address is nobody's business in a log. */
const kindOf = (channel: string): string => channel.split(':')[0] ?? '';

/** Hands new notifications to the channels there are now. What nobody could be told for a day is not sent later. */
async function dispatch(db: Db, channels: readonly Channel[]): Promise<void> {
  await sql`
    WITH fresh AS (
      UPDATE durasync.notifications SET dispatched_at = clock_timestamp()
      WHERE id IN (SELECT id FROM durasync.notifications WHERE dispatched_at IS NULL ORDER BY id
                   FOR UPDATE SKIP LOCKED)
      RETURNING id, created_at
    )
    INSERT INTO durasync.notification_deliveries (notification_id, channel)
    SELECT id, channel FROM fresh, unnest(${channels.map(({ name }) => name)}::text[]) channel
    WHERE created_at > now() - make_interval(secs => ${GIVEN_UP_AFTER_MS / 1_000})
    ON CONFLICT DO NOTHING`.execute(db);
}

/** What is over is never told before what was wrong: through each channel a cause's messages keep their order. */
const IS_NEXT = sql`d.status = 'pending' AND NOT EXISTS (
  SELECT FROM durasync.notification_deliveries earlier
  JOIN durasync.notifications e ON e.id = earlier.notification_id
  WHERE e.cause = n.cause AND e.id < n.id AND earlier.channel = d.channel AND earlier.status = 'pending')`;

interface Claimed extends Outgoing {
  readonly channel: string;
  readonly attempts: number;
}

/** Claims the oldest that is due. */
async function claimNext(db: Db): Promise<Claimed | undefined> {
  const { rows } = await sql<Claimed>`
    WITH next AS (
      SELECT d.notification_id, d.channel FROM durasync.notification_deliveries d
      JOIN durasync.notifications n ON n.id = d.notification_id
      WHERE d.due_at <= clock_timestamp() AND ${IS_NEXT}
      ORDER BY d.notification_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE durasync.notification_deliveries d
    SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
    FROM next, durasync.notifications n
    WHERE d.notification_id = next.notification_id AND d.channel = next.channel AND n.id = d.notification_id
    RETURNING n.id, d.channel, d.attempts, n.kind, n.event, n.title, n.body, n.created_at AS "createdAt"`.execute(
    db,
  );
  return rows[0];
}

async function trySend(
  channels: readonly Channel[],
  claimed: Claimed,
  signal: AbortSignal,
): Promise<DeliveryError | null> {
  const channel = channels.find(({ name }) => name === claimed.channel);
  if (!channel) return new DeliveryError('This channel is not set any more.', { passes: false });
  try {
    await channel.send(claimed, signal);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DeliveryError) return error;
    // What it says may hold anything.
    const name = error instanceof Error ? error.name : typeof error;
    return new DeliveryError(`It could not be sent (${name}).`, { passes: true });
  }
}

function waitBefore(attempts: number, firstWaitMs: number, asked: number = 0): number {
  const own = Math.min(WAIT_MAX_MS, firstWaitMs * 2 ** (attempts - 1));
  return Math.min(GIVEN_UP_AFTER_MS, Math.max(own, asked));
}

async function settle(
  db: Db,
  { id, channel, attempts }: Claimed,
  { error, waitMs }: { error: DeliveryError | null; waitMs: number | null },
): Promise<void> {
  const again = error !== null && waitMs !== null;
  await db
    .updateTable('durasync.notification_deliveries')
    .set({
      status: again ? 'pending' : error ? 'failed' : 'sent',
      error_message: error?.message ?? null,
      ended_at: again ? null : sql<Date>`clock_timestamp()`,
      due_at: sql<Date>`clock_timestamp() + make_interval(secs => ${(waitMs ?? 0) / 1_000})`,
    })
    .where('notification_id', '=', id)
    .where('channel', '=', channel)
    .where('attempts', '=', attempts)
    .execute();
}

async function nextInMs(db: Db): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT (extract(epoch FROM min(due_at) - clock_timestamp()) * 1000)::float8 AS ms
    FROM durasync.notification_deliveries d JOIN durasync.notifications n ON n.id = d.notification_id
    WHERE ${IS_NEXT}`.execute(db);
  const ms = rows[0]?.ms ?? null;
  return ms === null ? null : Math.max(0, Math.ceil(ms));
}
