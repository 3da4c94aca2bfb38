import type { Db } from '../db/connect.ts';

/** What a notification is about. */
type NotificationKind =
  | 'completed'
  | 'failed'
  | 'held'
  | 'unusual'
  | 'zero_sales'
  | 'backup_failed'
  | 'client_paused'
  | 'stale'
  | 'health';

/** The cause of a connection that was paused because its credentials were refused. */
export const pausedCause = (credentialId: string): string => `client-paused:${credentialId}`;

/** What people read. Never a row of data, an address or a secret. */
export interface Message {
  /** One line. */
  readonly title: string;
  readonly body: string;
}

export interface RaisedCause extends Message {
  /** Names what is wrong, the same each time, such as `run:fleet` or `backup`. */
  readonly cause: string;
  readonly kind: NotificationKind;
  /** What of it is wrong, such as the tables that failed. */
  readonly parts?: readonly string[];
}

/**
 * Says that something is wrong. People hear of it once, and again only when a part is wrong that was not before.
 * Call it in the transaction of what went wrong, then `wakeNotifications`. Safe to repeat.
 *
 * @returns whether there is something to send
 */
export async function raiseCause(tx: Db, raised: RaisedCause): Promise<boolean> {
  const { cause, kind, parts = [] } = raised;
  const added = await tx
    .insertInto('durasync.open_causes')
    .values({ cause, kind, parts: [...parts] })
    .onConflict((conflict) => conflict.column('cause').doNothing())
    .returning('cause')
    .executeTakeFirst();
  if (added) return addNotification(tx, raised, 'raised');
  const open = await tx
    .selectFrom('durasync.open_causes')
    .select('parts')
    .where('cause', '=', cause)
    .forUpdate()
    .executeTakeFirst();
  // It was resolved between the two statements.
  if (!open) return raiseCause(tx, raised);
  await tx
    .updateTable('durasync.open_causes')
    .set({ kind, parts: [...parts] })
    .where('cause', '=', cause)
    .execute();
  const isNew = parts.some((part) => !open.parts.includes(part));
  return isNew ? addNotification(tx, raised, 'changed') : false;
}

/**
 * Says that what was wrong is over. People hear of it once, if they heard of the cause; without a message the cause
 * ends in silence. Call it in the transaction of what ended it, then `wakeNotifications`. Safe to repeat.
 *
 * @returns whether there is something to send
 */
export async function resolveCause(tx: Db, cause: string, message: Message | null): Promise<boolean> {
  const ended = await tx
    .deleteFrom('durasync.open_causes')
    .where('cause', '=', cause)
    .returning('kind')
    .executeTakeFirst();
  if (!ended || !message) return false;
  return addNotification(tx, { ...message, cause, kind: ended.kind as NotificationKind }, 'resolved');
}

/** Says something that is neither wrong nor over. Not safe to repeat: each call is another notification. */
export async function tell(tx: Db, told: Omit<RaisedCause, 'parts'>): Promise<boolean> {
  return addNotification(tx, told, 'told');
}

/** The parts that are wrong now of each of these causes that is open. They stay locked until the transaction ends. */
export async function openParts(
  tx: Db,
  causes: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const open = await tx
    .selectFrom('durasync.open_causes')
    .select(['cause', 'parts'])
    .where('cause', 'in', causes)
    .orderBy('cause')
    .forUpdate()
    .execute();
  return new Map(open.map(({ cause, parts }) => [cause, parts]));
}

async function addNotification(
  tx: Db,
  { cause, kind, title, body }: RaisedCause,
  event: 'raised' | 'changed' | 'resolved' | 'told',
): Promise<true> {
  await tx.insertInto('durasync.notifications').values({ cause, kind, event, title, body }).execute();
  return true;
}
