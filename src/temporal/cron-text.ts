import { whyCronRefused } from '../settings.ts';
import type { ScheduleDefinition } from '../syncs/define-sync.ts';

/** A cron text that Temporal would refuse or read otherwise; the message says why. */
export class CronTextError extends Error {
  override readonly name = 'CronTextError';
}

/** A schedule's times as a cron text of five fields, single-spaced. */
export interface CronTimes {
  readonly cron: string;
  readonly timeZone: string;
  /**
   * The times of day and the days (the last three fields) of a cron text that names its minutes and hours one by
   * one. Null for one that recurs through the day: such a one follows the clock, also when it changes.
   */
  readonly fixed: { readonly timesMs: readonly number[]; readonly days: string } | null;
}

export type ScheduleTimes = Pick<ScheduleDefinition, 'id' | 'at' | 'timeZone'>;

const NUMBERS = String.raw`(\d+(?:,\d+)*)`;
const FIXED = new RegExp(`^${NUMBERS} ${NUMBERS} (\\S+ \\S+ \\S+)$`);
const MINUTE_MS = 60_000;

/**
 * Reads when a schedule runs. A day of the month together with a day of the week means both, as in Temporal.
 *
 * @throws CronTextError
 */
export function readTimes({ id, at, timeZone }: ScheduleTimes): CronTimes {
  const text = 'cron' in at ? at.cron : `${at.minute} ${at.hour} * * *`;
  const cron = text.trim().replaceAll(/\s+/g, ' ');
  const reason = whyCronRefused(cron);
  if (reason) {
    throw new CronTextError(
      `The schedule ${id} has a time that can't be used, '${text}': ${reason}. Write a cron text of five fields, as in '*/5 * * * *'.`,
    );
  }
  const [, minutes = '', hours = '', days = ''] = FIXED.exec(cron) ?? [];
  const timesMs = numbers(hours).flatMap((hour) =>
    numbers(minutes).map((minute) => (hour * 60 + minute) * MINUTE_MS),
  );
  return { cron, timeZone, fixed: days === '' ? null : { timesMs, days } };
}

/** 'daily 02:00 America/Los_Angeles', or the cron text and the zone. */
export function describeTimes({ cron, timeZone, fixed }: CronTimes): string {
  const [timeMs, ...others] = fixed?.timesMs ?? [];
  if (timeMs === undefined || others.length > 0 || fixed?.days !== '* * *') return `${cron} ${timeZone}`;
  return `daily ${new Date(timeMs).toISOString().slice(11, 16)} ${timeZone}`;
}

const numbers = (list: string): number[] => list.split(',').map(Number);
