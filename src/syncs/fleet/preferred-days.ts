import { sql } from 'kysely';
import type { StepResult } from '../../domain/run-result.ts';
import type { StepDefinition } from '../define-sync.ts';

const LOANS_MIN = 5;
const RECENT_DAYS = 365;
const WATERMARK = 'preferred_days';

/**
 * The weekday on which each partner likes to start loans, from all loan history up to the run's logical date.
 * A loan of the last 365 days counts twice. Set when there are five loans or more at the partner's own office
 * and the best weekday has at least 40 % of the weight; a value that a person set is kept. A run with a
 * logical date before the last derived one changes nothing. Safe to repeat.
 */
export const preferredDays: StepDefinition = {
  name: 'preferred days',
  after: ['media_partners', 'loan_history'],
  async run({ database: { db }, logicalAt, timeZone, runId }) {
    const day = new Intl.DateTimeFormat('en-CA', { timeZone }).format(logicalAt);
    return db.transaction().execute(async (tx): Promise<Omit<StepResult, 'step'>> => {
      await sql`SELECT pg_advisory_xact_lock(hashtext('fleet preferred days'))`.execute(tx);
      const last = await tx
        .selectFrom('durasync.watermarks')
        .select('value')
        .where('sync', '=', 'fleet')
        .where('name', '=', WATERMARK)
        .executeTakeFirst();
      if (last && last.value > day) {
        const summary = `left alone: derived for ${last.value} before, this run is for ${day}`;
        return { success: true, summary, counts: {} };
      }
      const { rows } = await sql<{ set: number; changed: number }>`
        WITH weighted AS (
          SELECT l.person_id, l.office, extract(isodow FROM l.start_date)::integer AS weekday,
                 count(*) AS loans,
                 sum(CASE WHEN ${day}::date - l.start_date <= ${RECENT_DAYS} THEN 2 ELSE 1 END) AS weight
          FROM fleet.loan_history l
          WHERE l.start_date <= ${day}::date
          GROUP BY 1, 2, 3
        ), totals AS (
          SELECT person_id, office, sum(loans) AS loans, sum(weight) AS total,
                 (array_agg(weekday ORDER BY weight DESC, weekday))[1] AS weekday, max(weight) AS best
          FROM weighted GROUP BY 1, 2
        ), derived AS (
          SELECT p.person_id,
                 (ARRAY['Monday','Tuesday','Wednesday','Thursday','Friday','Saturday','Sunday'])[t.weekday] AS day,
                 round(t.best * 100 / t.total, 1) AS confidence
          FROM fleet.media_partners p
          LEFT JOIN totals t ON t.person_id = p.person_id AND t.office = p.office
                AND t.loans >= ${LOANS_MIN} AND t.best * 5 >= t.total * 2
          WHERE p.preferred_day_source IS DISTINCT FROM 'manual'
        ), written AS (
          UPDATE fleet.media_partners p
          SET preferred_day_of_week = d.day, preferred_day_confidence = d.confidence,
              preferred_day_source = CASE WHEN d.day IS NULL THEN NULL ELSE 'derived' END
          FROM derived d
          WHERE d.person_id = p.person_id
            AND (p.preferred_day_of_week, p.preferred_day_confidence) IS DISTINCT FROM (d.day, d.confidence)
          RETURNING 1
        )
        SELECT (SELECT count(*) FROM derived WHERE day IS NOT NULL) AS set,
               (SELECT count(*) FROM written) AS changed`.execute(tx);
      await tx
        .insertInto('durasync.watermarks')
        .values({ sync: 'fleet', name: WATERMARK, value: day, run_id: runId })
        .onConflict((conflict) =>
          conflict.columns(['sync', 'scope', 'name']).doUpdateSet({ value: day, run_id: runId }),
        )
        .execute();
      const { set = 0, changed = 0 } = rows[0] ?? {};
      return {
        success: true,
        summary: `${set} partners have a preferred day, ${changed} changed`,
        counts: { set, changed },
      };
    });
  },
};
