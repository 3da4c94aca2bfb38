import { describe, expect, test } from 'vitest';
import { CronTextError, describeTimes, readTimes } from '../../src/temporal/cron-text.ts';
import { nextRuns } from '../../src/temporal/next-runs.ts';
import { scheduleSpec } from '../../src/temporal/schedule-spec.ts';

const NOW = new Date('2027-06-01T12:00:00Z');
const LOS_ANGELES = 'America/Los_Angeles';

const daily = (hour: number, minute: number, timeZone: string) => ({
  id: 'nightly',
  at: { hour, minute },
  timeZone,
});
const cron = (text: string, timeZone = 'UTC') => ({ id: 'often', at: { cron: text }, timeZone });
const iso = (dates: readonly Date[]): string[] => dates.map((date) => date.toISOString());

/** 'YYYY-M-D H:MM' of the calendars of single days. */
const dates = (calendars: ReturnType<typeof scheduleSpec>['calendars']): string[] =>
  calendars.map(({ year, month, dayOfMonth, hour, minute }) => {
    const [y, m, d, h, min] = [year, month, dayOfMonth, hour, minute].map((range) => range[0]?.start);
    return `${y} ${m} ${d} ${h}:${String(min).padStart(2, '0')}`;
  });

describe('the spec of a time of day', () => {
  test('has no exceptions where clocks never change, or not at that time', () => {
    for (const schedule of [daily(2, 30, 'UTC'), daily(12, 0, LOS_ANGELES), daily(2, 0, 'Asia/Kolkata')]) {
      const { calendars, skip, intervals } = scheduleSpec(schedule, NOW);
      expect({ calendars, skip, intervals }).toEqual({ calendars: [], skip: [], intervals: [] });
    }
  });

  test('runs at the next full hour on each night of this year and the next ten that lacks the time', () => {
    const spec = scheduleSpec(daily(2, 30, LOS_ANGELES), NOW);
    expect(dates(spec.calendars)).toHaveLength(11);
    expect(dates(spec.calendars).slice(0, 2)).toEqual(['2027 MARCH 14 3:00', '2028 MARCH 12 3:00']);
    expect(spec.skip).toEqual([]);
  });

  test('goes to the full hour also where clocks go forward by half an hour or by two', () => {
    expect(dates(scheduleSpec(daily(2, 15, 'Australia/Lord_Howe'), NOW).calendars)[0]).toBe(
      '2027 OCTOBER 3 3:00',
    );
    expect(dates(scheduleSpec(daily(1, 30, 'Antarctica/Troll'), NOW).calendars)[0]).toBe(
      '2027 MARCH 28 3:00',
    );
  });

  test('goes to the next day where clocks jump over midnight', () => {
    const spec = scheduleSpec(daily(23, 30, 'America/Scoresbysund'), NOW);
    expect(dates(spec.calendars)[0]).toBe('2027 MARCH 28 0:00');
  });

  test('skips the time where it comes twice, and names the first instant instead', () => {
    const spec = scheduleSpec(daily(1, 30, LOS_ANGELES), NOW);
    expect(dates(spec.skip)).toHaveLength(11);
    expect(dates(spec.skip)[0]).toBe('2027 NOVEMBER 7 1:30');
    const [first] = spec.intervals;
    expect(first && new Date(first.offset + first.every).toISOString()).toBe('2027-11-07T08:30:01.000Z');
  });

  test('is the same all year long, so that applying it again changes nothing', () => {
    const schedule = daily(1, 30, LOS_ANGELES);
    expect(scheduleSpec(schedule, new Date('2027-01-01T00:00:00Z'))).toEqual(
      scheduleSpec(schedule, new Date('2027-12-31T23:59:59Z')),
    );
  });
});

describe('the spec of a cron text', () => {
  test('passes with its zone, single-spaced', () => {
    const spec = scheduleSpec(cron('  */5  * * * * ', LOS_ANGELES), NOW);
    expect(spec.cronExpressions).toEqual([`*/5 * * * * # */5 * * * * ${LOS_ANGELES}`]);
    expect(spec).toMatchObject({ timezone: LOS_ANGELES, calendars: [], skip: [], intervals: [] });
  });

  test('has exceptions for fixed times, on the days it names only', () => {
    expect(dates(scheduleSpec(cron('0,30 2,9 * * *', LOS_ANGELES), NOW).calendars)).toHaveLength(22);
    expect(dates(scheduleSpec(cron('30 2 * * SUN', LOS_ANGELES), NOW).calendars)).toHaveLength(11);
    expect(dates(scheduleSpec(cron('30 2 * * MON', LOS_ANGELES), NOW).calendars)).toEqual([]);
  });

  test.each([
    ['* * * *', 'it has 4 fields'],
    ['@daily', 'it has 1 field.'],
    ['61 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['5/15 * * * *', 'stepping'],
    ['0 0 L * *', "it holds 'L'"],
    ['0 0 ? * *', "it holds '?'"],
    ['0 0 * * 1#2', "it holds '#'"],
    ['0 0 * * MON-SUN', 'a range can end in 7'],
    ['0 22-2 * * *', 'larger'],
  ])('is refused with the reason when it is %s', (text, reason) => {
    expect(() => scheduleSpec(cron(text), NOW)).toThrow(CronTextError);
    expect(() => scheduleSpec(cron(text), NOW)).toThrow(reason);
    expect(() => scheduleSpec(cron(text), NOW)).toThrow('The schedule often');
  });
});

describe('the next runs', () => {
  test('are the next three, without the present instant', () => {
    expect(iso(nextRuns(daily(2, 0, LOS_ANGELES), new Date('2027-06-01T09:00:00Z')))).toEqual([
      '2027-06-02T09:00:00.000Z',
      '2027-06-03T09:00:00.000Z',
      '2027-06-04T09:00:00.000Z',
    ]);
  });

  test('go over a night that lacks the time and one that has it twice', () => {
    expect(iso(nextRuns(daily(2, 30, LOS_ANGELES), new Date('2027-03-13T10:30:00Z'), 2))).toEqual([
      '2027-03-14T10:00:00.000Z',
      '2027-03-15T09:30:00.000Z',
    ]);
    expect(iso(nextRuns(daily(1, 30, LOS_ANGELES), new Date('2027-11-06T08:30:00Z'), 2))).toEqual([
      '2027-11-07T08:30:01.000Z',
      '2027-11-08T09:30:00.000Z',
    ]);
  });

  test('do not repeat one that several missing times lead to', () => {
    expect(iso(nextRuns(cron('0,30 2,3 * * *', LOS_ANGELES), new Date('2027-03-14T09:00:00Z'), 2))).toEqual([
      '2027-03-14T10:00:00.000Z',
      '2027-03-14T10:30:00.000Z',
    ]);
  });

  test('of a cron text mean both the day of the month and the day of the week', () => {
    expect(iso(nextRuns(cron('0 4 1 * MON'), NOW, 1))).toEqual(['2027-11-01T04:00:00.000Z']);
    expect(iso(nextRuns(cron('*/5 * * * *'), NOW, 2))).toEqual([
      '2027-06-01T12:05:00.000Z',
      '2027-06-01T12:10:00.000Z',
    ]);
  });

  test('are none when the day never comes', () => {
    expect(nextRuns(cron('0 4 31 2 *'), NOW)).toEqual([]);
  });
});

test('times read like a sentence where they can', () => {
  const text = (schedule: Parameters<typeof readTimes>[0]): string => describeTimes(readTimes(schedule));
  expect(text(daily(2, 0, LOS_ANGELES))).toBe('daily 02:00 America/Los_Angeles');
  expect(text(cron('5 14 * * *'))).toBe('daily 14:05 UTC');
  expect(text(cron('0 4 * * SUN'))).toBe('0 4 * * SUN UTC');
  expect(text(cron('0 1,9,17 * * *'))).toBe('0 1,9,17 * * * UTC');
});
