import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import { DATABASE_CHECK, type HealthCheck, type HealthReport } from '../domain/health.ts';
import { type Message, raiseCause, resolveCause, tell } from '../notify/causes.ts';

/** People have heard of these when they began. */
const TOLD_ALREADY = ['holds', 'failures'];
const CLIENTS_CHECK = 'freshness: clients';
const DATABASE_CAUSE = `health:${DATABASE_CHECK}`;

interface Told {
  readonly report: HealthReport;
  /** Connections of clients that are late. */
  readonly late: readonly string[];
  /** What the report before said. */
  readonly databaseWasDown: boolean;
}

/**
 * Keeps a report and writes what people should hear of it: a problem once, again when it becomes worse, and once when
 * it is over. Safe to repeat.
 *
 * @returns whether there is something to send
 */
export async function tellHealth(db: Db, { report, late, databaseWasDown }: Told): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const { timestamp, status, checks } = report;
    await sql`
      INSERT INTO durasync.health_report (checked_at, status, checks)
      VALUES (${timestamp}, ${status}, ${JSON.stringify(checks)})
      ON CONFLICT (only_row) DO UPDATE SET (checked_at, status, checks) = (excluded.checked_at, excluded.status, excluded.checks)`.execute(
      tx,
    );
    let toSend = false;
    for (const check of checks) {
      if (TOLD_ALREADY.includes(check.name)) continue;
      const isLate = check.name === CLIENTS_CHECK;
      toSend = (await tellCheck(tx, check, isLate ? late : [check.status])) || toSend;
    }
    const shown = checks.map(({ name }) => causeOf(name));
    await endForgotten(tx, shown);
    if (databaseWasDown) toSend = await tell(tx, { cause: DATABASE_CAUSE, kind: 'health', ...DATABASE_BACK });
    return toSend;
  });
}

/** What people are told without PostgreSQL, which can't keep it then. */
export const DATABASE_DOWN: Message = {
  title: 'PostgreSQL does not answer',
  body: 'No sync can run until it does; runs that are under way wait for it. Look at it with: npx durasync health',
};

const DATABASE_BACK: Message = {
  title: 'PostgreSQL answers again',
  body: 'Runs that waited for it go on by themselves.',
};

const causeOf = (check: string): string =>
  check.startsWith('freshness: ') ? `stale:${check.slice('freshness: '.length)}` : `health:${check}`;

async function tellCheck(
  tx: Db,
  { name, status, message, detail }: HealthCheck,
  parts: readonly string[],
): Promise<boolean> {
  const cause = causeOf(name);
  const subject = name === CLIENTS_CHECK ? 'A connection of a client' : name.replace('freshness: ', '');
  const isStale = cause.startsWith('stale:');
  if (status === 'healthy') {
    const title = isStale
      ? name === CLIENTS_CHECK
        ? 'Connections of clients are in time again'
        : `${subject} is in time again`
      : `${name}: all is well again`;
    // What is not expected to run is not in time either.
    return resolveCause(tx, cause, detail?.['watched'] === 'no' ? null : { title, body: message });
  }
  return raiseCause(tx, {
    cause,
    kind: isStale ? 'stale' : 'health',
    parts,
    title: isStale ? `${subject} is late` : `${name}: ${message}`,
    body: `${message}\nSee everything with: npx durasync health`,
  });
}

/** A check that is made no more, such as that of a sync that was taken out, has nothing left to tell. */
async function endForgotten(tx: Db, shown: readonly string[]): Promise<void> {
  await sql`DELETE FROM durasync.open_causes WHERE kind = 'stale' AND cause <> ALL(${shown}::text[])`.execute(
    tx,
  );
}
