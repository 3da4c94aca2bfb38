import {
  type CalendarSpecDescription,
  type IntervalSpecDescription,
  MONTHS,
  type ScheduleSpec,
} from '@temporalio/client';
import { type CronTimes, describeTimes, readTimes, type ScheduleTimes } from './cron-text.ts';
import { parseCron } from '../settings.ts';
import { findReading, type Occurrence, type ZoneClock, zoneClock } from './zone-clock.ts';

/** A Temporal spec whose exceptions have the very form in which the server shows them, to compare both. */
export interface ScheduleTimesSpec extends ScheduleSpec {
  readonly cronExpressions: [string];
  readonly timezone: string;
  readonly calendars: CalendarSpecDescription[];
  readonly skip: CalendarSpecDescription[];
  readonly intervals: IntervalSpecDescription[];
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const YEARS_AHEAD = 10;
/**
 * An interval of 40 years stands for one instant. The server never matches an interval before its first full
 * period since 1970, so it must be shorter than the time since then.
 */
const ONCE_EVERY_MS = 14_610 * DAY_MS;

/**
 * The Temporal spec of a schedule. Temporal alone skips a time that clocks jump over and runs twice at one that
 * they show twice. For fixed times the spec therefore names the exceptions of this year and the ten after it: a
 * missing time runs at the next full hour, one that comes twice runs at its first occurrence. The same
 * definition gives the same spec all year long.
 *
 * @throws CronTextError
 */
export function scheduleSpec(schedule: ScheduleTimes, now: Date): ScheduleTimesSpec {
  const times = readTimes(schedule);
  const clock = zoneClock(times.timeZone);
  const exceptions = findExceptions(times, clock, now.getUTCFullYear());
  const missing = exceptions.filter(({ kind }) => kind === 'missing');
  const twice = exceptions.filter(({ kind }) => kind === 'twice');
  return {
    // Temporal shows what follows the # as the comment of the calendar that it makes of this.
    cronExpressions: [`${times.cron} # ${describeTimes(times)}`],
    timezone: times.timeZone,
    calendars: missing.map(({ instantMs, readingMs }) =>
      calendarAt(clock(instantMs), `${timeOf(readingMs)} does not exist on this night`),
    ),
    skip: [
      ...twice.map(({ readingMs }) => calendarAt(readingMs, 'comes twice on this night')),
      ...mistaken(times, exceptions).map((readingMs) => calendarAt(readingMs, 'not a time of this schedule')),
    ],
    intervals: twice.map((occurrence) => ({
      every: ONCE_EVERY_MS,
      offset: instantOfRun(occurrence) % ONCE_EVERY_MS,
    })),
  };
}

/**
 * When a run at a reading of the clock starts. A second later than shown where the reading comes twice: the spec
 * has to skip it, and a skip takes out both occurrences.
 */
export const instantOfRun = ({ kind, instantMs }: Occurrence): number =>
  kind === 'twice' ? instantMs + SECOND_MS : instantMs;

type Exception = Occurrence & { readonly readingMs: number };

function findExceptions({ fixed }: CronTimes, clock: ZoneClock, firstYear: number): Exception[] {
  if (!fixed) return [];
  const days = parseCron(`0 0 ${fixed.days}`, 'UTC');
  return daysWithChanges(clock, firstYear)
    .filter((dayMs) => days.match(new Date(dayMs)))
    .flatMap((dayMs) => fixed.timesMs.map((timeMs) => dayMs + timeMs))
    .map((readingMs) => ({ readingMs, ...findReading(clock, readingMs) }))
    .filter(({ kind }) => kind !== 'once');
}

/**
 * Readings the server takes for one of ours where clocks move by part of an hour, as on Lord Howe Island (seen in
 * server 1.32): it moves a missing time on by the shift, and runs an hour after one that comes twice.
 */
function mistaken({ fixed }: CronTimes, exceptions: readonly Exception[]): number[] {
  return exceptions
    .filter(({ shiftMs }) => shiftMs % HOUR_MS !== 0)
    .map(({ kind, readingMs, shiftMs }) => readingMs + (kind === 'missing' ? shiftMs : HOUR_MS))
    .filter((readingMs) => !fixed?.timesMs.includes(readingMs % DAY_MS));
}

/** All days of weeks in which the clocks change. */
function daysWithChanges(clock: ZoneClock, firstYear: number): number[] {
  const days: number[] = [];
  const endMs = Date.UTC(firstYear + YEARS_AHEAD + 1, 0, 1);
  const offsetMs = (instantMs: number): number => clock(instantMs) - instantMs;
  for (let weekMs = Date.UTC(firstYear, 0, 1); weekMs < endMs; weekMs += WEEK_MS) {
    if (offsetMs(weekMs - DAY_MS) === offsetMs(weekMs + WEEK_MS + DAY_MS)) continue;
    for (let day = 0; day < 7; day++) days.push(weekMs + day * DAY_MS);
  }
  return days;
}

const only = <Unit>(value: Unit): { start: Unit; end: Unit; step: number }[] => [
  { start: value, end: value, step: 1 },
];

function calendarAt(readingMs: number, comment: string): CalendarSpecDescription {
  const reading = new Date(readingMs);
  return {
    second: only(0),
    minute: only(reading.getUTCMinutes()),
    hour: only(reading.getUTCHours()),
    dayOfMonth: only(reading.getUTCDate()),
    month: MONTHS.filter((_, month) => month === reading.getUTCMonth()).flatMap(only),
    year: only(reading.getUTCFullYear()),
    dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }],
    comment,
  };
}

const timeOf = (readingMs: number): string => new Date(readingMs).toISOString().slice(11, 16);
