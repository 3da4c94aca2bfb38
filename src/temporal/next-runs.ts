import { readTimes, type ScheduleTimes } from './cron-text.ts';
import { parseCron } from '../settings.ts';
import { instantOfRun } from './schedule-spec.ts';
import { findReading, zoneClock } from './zone-clock.ts';

const DAY_MS = 86_400_000;
/** The days from the day before yesterday to today, which may have no run left. */
const SPENT_DAYS = 3;

/**
 * The next instants at which a schedule runs, soonest first; fewer than asked for when there are no more.
 *
 * @throws CronTextError
 */
export function nextRuns(schedule: ScheduleTimes, after: Date, count: number = 3): Date[] {
  const { cron, timeZone, fixed } = readTimes(schedule);
  if (!fixed) return parseCron(cron, timeZone).nextRuns(count, after);
  const clock = zoneClock(timeZone);
  const start = new Date(clock(after.getTime()) - (SPENT_DAYS - 1) * DAY_MS);
  const readings = parseCron(`0 0 ${fixed.days}`, 'UTC')
    .nextRuns(count + SPENT_DAYS, start)
    .flatMap((day) => fixed.timesMs.map((timeMs) => day.getTime() + timeMs));
  const instants = new Set(readings.map((readingMs) => instantOfRun(findReading(clock, readingMs))));
  return [...instants]
    .filter((instantMs) => instantMs > after.getTime())
    .sort((a, b) => a - b)
    .slice(0, count)
    .map((instantMs) => new Date(instantMs));
}
