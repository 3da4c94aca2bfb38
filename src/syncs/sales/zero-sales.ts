import { sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { RunId } from '../../domain/ids.ts';
import { addDays, dayIn } from '../days.ts';
import type { StepDefinition } from '../define-sync.ts';

/** Of which weekdays before must each have had sales for a day to be expected to have some. */
const SAME_WEEKDAYS = [7, 14, 21, 28];
const DAYS_NAMED = 10;

/**
 * Tells of days without a sale that should have some: every day with SALES_EXPECT_DAILY, else one whose four same
 * weekdays before had sales. Only complete days count, and only when they were read.
 */
export const zeroSales: StepDefinition = {
  name: 'zero sales',
  after: ['sales'],
  async run({ database: { db }, runId, logicalAt, timeZone, settings }) {
    const window = await readDays(db, runId);
    if (!window) return { success: true, summary: 'no days were read', counts: { without: 0 } };
    const today = dayIn(timeZone, logicalAt);
    const days = await daysWithoutSales(db, window, today);
    const unexpected = settings['SALES_EXPECT_DAILY'] ? days : days.filter(({ isUsual }) => isUsual);
    const named = unexpected.slice(0, DAYS_NAMED).map(({ day }) => day);
    const more = unexpected.length - named.length;
    const list = `${named.join(', ')}${more > 0 ? ` and ${more} more days` : ''}`;
    return {
      success: true,
      summary:
        unexpected.length === 0
          ? 'every day that should have sales has some'
          : `${unexpected.length} days without a sale: ${list}`,
      counts: { without: unexpected.length },
      notices:
        unexpected.length === 0
          ? []
          : [`sales: no sale on ${list}. Ask the source whether that is right, then run the days again.`],
    };
  },
};

/** The days that a run has read; null when it was not about days, or could not read them. */
async function readDays(db: Db, runId: RunId): Promise<{ from: string; to: string } | null> {
  const { rows } = await sql<{ from: string; to: string }>`
    SELECT r.window_start AS "from", r.window_end AS "to"
    FROM durasync.sync_runs r JOIN durasync.sync_run_tables t USING (run_id)
    WHERE r.run_id = ${runId} AND t.table_name = 'sales' AND t.status = 'completed' AND r.window_start IS NOT NULL`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** The complete days of a window without a sale, and whether their weekday usually has some. */
async function daysWithoutSales(
  db: Db,
  { from, to }: { from: string; to: string },
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
