import { sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { RunId } from '../../domain/ids.ts';
import { openParts, raiseCause, resolveCause } from '../../notify/causes.ts';
import { addDays, dayIn } from '../days.ts';
import type { StepDefinition } from '../define-sync.ts';

/** Of these days before a day, each must have had sales for that day to be expected to have some. */
const SAME_WEEKDAYS = [7, 14, 21, 28];
const DAYS_NAMED = 10;
const CAUSE = 'zero-sales';

/**
 * Tells of days without a sale that should have some: every day with SALES_EXPECT_DAILY, else one whose four same
 * weekdays before had sales. Only complete days count, and only when they were read. People are notified once of each
 * day, unless it was backfilled, and once when every such day has sales. Safe to repeat.
 */
export const zeroSales: StepDefinition = {
  name: 'zero sales',
  after: ['sales'],
  async run({ database: { db }, runId, logicalAt, timeZone, settings, wakeNotifications }) {
    const read = await readDays(db, runId);
    const empty = read ? await daysWithoutSales(db, read, dayIn(timeZone, logicalAt)) : [];
    const missing = empty
      .filter(({ isUsual }) => isUsual || settings['SALES_EXPECT_DAILY'])
      .map(({ day }) => day);
    const told = await db
      .transaction()
      .execute((tx) => notify(tx, read?.trigger === 'backfill' ? [] : missing));
    if (told) await wakeNotifications();
    const success = true;
    if (missing.length === 0) {
      const summary = read ? 'every day that should have sales has some' : 'no days were read';
      return { success, summary, counts: { without: 0 } };
    }
    const list = shown(missing);
    return {
      success,
      summary: `${missing.length} ${missing.length === 1 ? 'day' : 'days'} without a sale: ${list}`,
      counts: { without: missing.length },
      notices: [`sales: no sale on ${list}. ${ADVICE}`],
    };
  },
};

const ADVICE = 'Ask the source whether that is right, then run the days again.';

function shown(days: readonly string[]): string {
  const more = days.length - DAYS_NAMED;
  return `${days.slice(0, DAYS_NAMED).join(', ')}${more > 0 ? ` and ${more} more days` : ''}`;
}

/** @returns whether there is something to send */
async function notify(tx: Db, missing: readonly string[]): Promise<boolean> {
  const before = (await openParts(tx, [CAUSE])).get(CAUSE) ?? [];
  const parts = [...new Set([...(await withoutSales(tx, before)), ...missing])].toSorted();
  if (parts.length > 0) {
    const title = `sales: no sale on ${shown(parts)}`;
    return raiseCause(tx, { cause: CAUSE, kind: 'zero_sales', parts, title, body: ADVICE });
  }
  if (before.length === 0) return false;
  return resolveCause(tx, CAUSE, {
    title: 'sales: every day has sales again',
    body: `There are sales of ${shown(before)} now.`,
  });
}

async function withoutSales(db: Db, days: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ day: string }>`
    SELECT day FROM unnest(${days}::date[]) day
    WHERE NOT EXISTS (SELECT FROM sales.sales s WHERE s.date = day)`.execute(db);
  return rows.map(({ day }) => day);
}

interface ReadDays {
  readonly from: string;
  readonly to: string;
  readonly trigger: string;
}

/** The days that a run has read; null when it was not about days, or could not read them. */
async function readDays(db: Db, runId: RunId): Promise<ReadDays | null> {
  const { rows } = await sql<ReadDays>`
    SELECT r.window_start AS "from", r.window_end AS "to", r.trigger
    FROM durasync.sync_runs r JOIN durasync.sync_run_tables t USING (run_id)
    WHERE r.run_id = ${runId} AND t.table_name = 'sales' AND t.status = 'completed' AND r.window_start IS NOT NULL`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** The complete days of a window without a sale, and whether their weekday usually has some. */
async function daysWithoutSales(
  db: Db,
  { from, to }: ReadDays,
  today: string,
): Promise<{ day: string; isUsual: boolean }[]> {
  const last = addDays(to < today ? to : today, -1);
  const { rows } = await sql<{ day: string; isUsual: boolean }>`
    SELECT d.day, (SELECT bool_and(EXISTS (SELECT FROM sales.sales s WHERE s.date = d.day - back))
                   FROM unnest(${SAME_WEEKDAYS}::integer[]) back) AS "isUsual"
    FROM (SELECT generate_series(${from}::date, ${last}::date, interval '1 day')::date AS day) d
    WHERE NOT EXISTS (SELECT FROM sales.sales s WHERE s.date = d.day) ORDER BY d.day`.execute(db);
  return rows;
}
