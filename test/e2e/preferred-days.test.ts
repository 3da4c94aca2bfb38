import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { type RunId, TASK_QUEUE } from '../../src/domain/ids.ts';
import { preferredDays } from '../../src/syncs/fleet/preferred-days.ts';
import { createTestDatabase } from '../support/engines.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { runResult, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const database = await createTestDatabase();
const fleet = await startFleetHarness();
const http = createAgent();
afterAll(() => http.close());

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
const DAY_MS = 86_400_000;
const TODAY = '2026-03-02'; // a Monday

interface Loan {
  readonly person: string;
  readonly office: string;
  /** YYYY-MM-DD */
  readonly start: string;
}
interface Partner {
  readonly person: string;
  readonly office: string;
  /** What was there before: nothing, a derived value that may be stale, or a person's choice. */
  readonly was: 'nothing' | 'derived' | 'manual';
}

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const daysBefore = (days: number, today = TODAY): string => isoDay(Date.parse(today) - days * DAY_MS);
const weekdayOf = (day: string): number => (new Date(day).getUTCDay() + 6) % 7;

/** The rule in whole numbers, written from the specification alone. */
function expected(partner: Partner, loans: readonly Loan[], today: string) {
  if (partner.was === 'manual') return { day: 'Sunday', confidence: '12.3', source: 'manual' };
  const weights = WEEKDAYS.map(() => 0);
  let count = 0;
  for (const loan of loans) {
    if (loan.person !== partner.person || loan.office !== partner.office) continue;
    const age = Math.round((Date.parse(today) - Date.parse(loan.start)) / DAY_MS);
    if (age < 0) continue;
    count += 1;
    const weekday = weekdayOf(loan.start);
    weights[weekday] = (weights[weekday] ?? 0) + (age <= 365 ? 2 : 1);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const best = Math.max(...weights);
  if (count < 5 || best * 100 < total * 40) return { day: null, confidence: null, source: null };
  const tenths = Math.floor((2000 * best + total) / (2 * total));
  return {
    day: WEEKDAYS[weights.indexOf(best)],
    confidence: (tenths / 10).toFixed(1),
    source: 'derived',
  };
}

async function load(partners: readonly Partner[], loans: readonly Loan[], archived: readonly Loan[] = []) {
  const { pool } = database;
  await pool.query('TRUNCATE media_partners, loan_history, loan_history_archive, watermarks');
  await pool.query(
    `INSERT INTO media_partners (person_id, name, office, preferred_day_of_week, preferred_day_confidence,
                                 preferred_day_source)
     SELECT p.person, 'P', p.office, CASE p.was WHEN 'nothing' THEN NULL ELSE 'Sunday' END,
            CASE p.was WHEN 'nothing' THEN NULL ELSE 12.3 END, nullif(p.was, 'nothing')
     FROM jsonb_to_recordset($1::jsonb) AS p(person text, office text, was text)`,
    [JSON.stringify(partners)],
  );
  const columns = 'activity_id, vin, person_id, make, model, start_date, end_date, office, name';
  const values = `row_number() OVER (), 'V', l.person, 'A', 'Q', l.start, l.start, l.office, 'P'`;
  const from = 'FROM jsonb_to_recordset($1::jsonb) AS l(person text, office text, start date)';
  await pool.query(`INSERT INTO loan_history (${columns}) SELECT ${values} ${from}`, [JSON.stringify(loans)]);
  await pool.query(
    `INSERT INTO loan_history_archive (${columns}, first_seen_at, updated_at, archived_at, archive_reason, archived_run_id)
     SELECT ${values}, now(), now(), now(), 'gone', 'r' ${from}`,
    [JSON.stringify(archived)],
  );
}

async function derive(logicalAt: string, timeZone = 'UTC') {
  return preferredDays.run({
    database,
    runId: '11111111-1111-1111-1111-111111111111' as RunId,
    logicalAt: new Date(logicalAt),
    timeZone,
    settings: {},
    http,
    signal: new AbortController().signal,
    progress: () => undefined,
    wakeNotifications: async () => undefined,
  });
}

async function derived() {
  const { rows } = await database.pool.query(
    `SELECT preferred_day_of_week AS day, preferred_day_confidence AS confidence, preferred_day_source AS source
     FROM media_partners ORDER BY person_id`,
  );
  return rows;
}

/** What is derived on TODAY for one partner in LA with loans as many days ago as this. */
async function forLoans(...ages: number[]) {
  await load(
    [{ person: '1', office: 'LA', was: 'nothing' }],
    ages.map((age) => ({ person: '1', office: 'LA', start: daysBefore(age) })),
  );
  await derive(`${TODAY}T10:00:00Z`);
  return (await derived())[0];
}

const [monday, tuesday, wednesday, thursday] = [0, 6, 5, 4];
const none = { day: null, confidence: null, source: null };

describe('the preferred day', () => {
  test('takes five loans, not four', async () => {
    expect(await forLoans(monday, 7, 14, 21)).toEqual(none);
    expect(await forLoans(monday, 7, 14, 21, 28)).toMatchObject({ day: 'Monday', confidence: '100.0' });
  });

  test('takes exactly 40 % of the weight, not less', async () => {
    expect(await forLoans(tuesday, 13, monday, wednesday, thursday)).toMatchObject({
      day: 'Tuesday',
      confidence: '40.0',
    });
    expect(await forLoans(tuesday, 13, monday, wednesday, thursday, 3)).toEqual(none);
  });

  test('is the earlier weekday from Monday when two weigh the same', async () => {
    expect(await forLoans(wednesday, tuesday, 12, 13, 1)).toMatchObject({
      day: 'Tuesday',
      confidence: '40.0',
    });
    expect(await forLoans(1, 8, monday, 7, 2)).toMatchObject({ day: 'Monday' });
  });

  test('counts a loan of 365 days ago twice, one of 366 days once', async () => {
    expect(await forLoans(365, 372, 368, 369, 370)).toMatchObject({ day: 'Sunday', confidence: '50.0' });
    expect(await forLoans(366, 373, 368, 369, 370)).toMatchObject({ day: 'Saturday', confidence: '40.0' });
  });

  test('is shown rounded half up to one decimal: 9 of 16 is 56.3 %', async () => {
    const mondays = Array.from({ length: 9 }, (_, at) => at * 7);
    const tuesdays = Array.from({ length: 7 }, (_, at) => tuesday + at * 7);
    expect(await forLoans(...mondays, ...tuesdays)).toMatchObject({ day: 'Monday', confidence: '56.3' });
  });

  test('ignores loans after the logical date, in the zone of the sync', async () => {
    const loans = [0, 7, 14, 21, 28].map((age) => ({ person: '1', office: 'LA', start: daysBefore(age) }));
    await load([{ person: '1', office: 'LA', was: 'nothing' }], loans);
    // 2 March in UTC is still 1 March in Los Angeles.
    await derive(`${TODAY}T05:00:00Z`, 'America/Los_Angeles');
    expect(await derived()).toEqual([none]);
    await derive(`${TODAY}T10:00:00Z`, 'America/Los_Angeles');
    expect(await derived()).toMatchObject([{ day: 'Monday', confidence: '100.0' }]);
  });

  test('of any history is what the rule in whole numbers gives', async () => {
    const office = fc.constantFrom('LA', 'LA', 'LA', 'Miami');
    const person = fc.constantFrom('1', '1', '2');
    // Few weekdays, so that they often weigh the same; 365 and 366 days are 52 weeks and one or two days.
    const weeks = fc.constantFrom(-1, 0, 1, 2, 3, 51, 52, 53, 120);
    const age = fc.tuple(weeks, fc.integer({ min: 0, max: 2 })).map(([week, days]) => week * 7 + days);
    const today = fc
      .integer({ min: 0, max: 800 })
      .map((days) => isoDay(Date.parse('2024-01-01') + days * DAY_MS));
    const history = fc.array(fc.record({ person, office, age }), { maxLength: 20, size: 'max' });
    const partners = fc.tuple(
      ...(['1', '2', '3'] as const).map((id) =>
        fc.record({ person: fc.constant(id), office, was: fc.constantFrom('nothing', 'derived', 'manual') }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(partners, history, history, today, async (all, made, gone, day) => {
        const loansOf = (ages: typeof made): Loan[] =>
          ages.map((loan) => ({ ...loan, start: daysBefore(loan.age, day) }));
        await load(all, loansOf(made), loansOf(gone));
        await derive(`${day}T12:00:00Z`);
        expect(await derived()).toEqual(all.map((partner) => expected(partner, loansOf(made), day)));
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

describe('deriving', () => {
  beforeEach(() =>
    load(
      [
        { person: '1', office: 'LA', was: 'nothing' },
        { person: '2', office: 'LA', was: 'manual' },
      ],
      [0, 7, 14, 21, 28].map((age) => ({ person: '1', office: 'LA', start: daysBefore(age) })),
    ),
  );

  test('twice gives the same and changes nothing the second time', async () => {
    expect(await derive(`${TODAY}T12:00:00Z`)).toMatchObject({ counts: { set: 1, changed: 1 } });
    const before = await database.pool.query('SELECT * FROM media_partners ORDER BY person_id');
    expect(await derive(`${TODAY}T13:00:00Z`)).toMatchObject({ counts: { set: 1, changed: 0 } });
    const after = await database.pool.query('SELECT * FROM media_partners ORDER BY person_id');
    expect(after.rows).toEqual(before.rows);
  });

  test('for a date before the last derived one leaves everything alone, and says so', async () => {
    await derive(`${TODAY}T12:00:00Z`);
    await database.pool.query('DELETE FROM loan_history');
    const earlier = await derive('2026-03-01T12:00:00Z');
    expect(earlier).toMatchObject({
      success: true,
      summary: expect.stringMatching(/2026-03-02.*2026-03-01/),
    });
    expect(await derived()).toMatchObject([{ day: 'Monday' }, { day: 'Sunday', source: 'manual' }]);
    await derive('2026-03-03T12:00:00Z');
    expect(await derived()).toMatchObject([none, { day: 'Sunday', source: 'manual' }]);
  });

  test('moves neither updated_at nor last_run_id', async () => {
    const read = () =>
      database.pool.query('SELECT updated_at, last_run_id FROM media_partners ORDER BY person_id');
    const before = await read();
    await derive(`${TODAY}T12:00:00Z`);
    expect((await read()).rows).toEqual(before.rows);
  });
});

test('a backfilled night loads what the source shows today, and derives nothing for a date that is over', async () => {
  await fleet.run();
  await fleet.rows(`UPDATE media_partners SET preferred_day_of_week = 'Friday' WHERE person_id = '1'`);
  fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(11));
  const schedule = await fleet.client.schedule.create({
    scheduleId: 'fleet-nightly',
    spec: { calendars: [{ hour: 2 }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'runSync',
      workflowId: 'scheduled/fleet-nightly',
      taskQueue: TASK_QUEUE,
      args: [{ sync: 'fleet' }],
    },
    state: { paused: true },
  });
  const night = Date.parse('2026-01-15T02:00:00Z');
  await schedule.backfill({ start: new Date(night - 1), end: new Date(night + 1), overlap: 'ALLOW_ALL' });
  const backfilled = () =>
    fleet.rows(`SELECT run_id, status, logical_at FROM sync_runs WHERE trigger = 'schedule'`);
  await expect.poll(backfilled, { timeout: 15_000 }).toMatchObject([{ status: 'completed' }]);
  const [run] = await backfilled();
  expect(run?.['logical_at']).toEqual(new Date(night));
  const result = await runResult(fleet.database, run?.['run_id'] as RunId);
  expect(tableOf(result, 'vehicles')).toMatchObject({ inserted: 1, unchanged: 10 });
  expect(result.derive).toMatchObject([{ success: true, summary: expect.stringContaining('2026-01-14') }]);
  expect(
    await fleet.rows(`SELECT preferred_day_of_week AS day FROM media_partners WHERE person_id = '1'`),
  ).toEqual([{ day: 'Friday' }]);
}, 60_000);
