import type { RunPlan } from '../domain/run-plan.ts';
import { addDays } from '../domain/days.ts';
import { SyncFailure } from '../domain/failures.ts';
import type { SyncDefinition } from './define-sync.ts';

export { addDays, daysBetween } from '../domain/days.ts';

/** By zone: making one takes longer than a whole query. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

/** The day (YYYY-MM-DD) of an instant in a zone. */
export function dayIn(timeZone: string, at: Date): string {
  let format = dayFormats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
    dayFormats.set(timeZone, format);
  }
  return format.format(at);
}

const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString().startsWith(text);

/** Which days a run is asked for; none of them means those that the sync chooses. */
export interface AskedDays {
  /** Inclusive, YYYY-MM-DD. */
  readonly from?: string;
  /** Exclusive, YYYY-MM-DD. */
  readonly to?: string;
  /** The last so many days, and today; without today where only complete days count. */
  readonly days?: number;
}

/**
 * The window of days that a run is asked for. When it is asked for none, yesterday where only complete days count,
 * else null.
 *
 * @throws SyncFailure InvalidInput for days that do not exist or make no window
 */
export function readWindow(
  { from, to, days }: AskedDays,
  today: string,
  windows: SyncDefinition['windows'],
): RunPlan['window'] {
  const complete = windows === 'complete days';
  if (days !== undefined) {
    if ((from ?? to) !== undefined) throw refused('Give --days, or --from and --to, not both.');
    return { from: addDays(today, -days), to: complete ? today : addDays(today, 1) };
  }
  if (from === undefined && to === undefined) {
    return complete ? { from: addDays(today, -1), to: today } : null;
  }
  if (from === undefined || to === undefined) throw refused('--from and --to belong together.');
  for (const day of [from, to]) {
    if (!isDay(day)) throw refused(`'${day}' is not a day of the calendar, YYYY-MM-DD.`);
  }
  if (from >= to)
    throw refused(`--from ${from} must be before --to ${to}, which is the day after the last one.`);
  return { from, to };
}

const refused = (message: string): SyncFailure => new SyncFailure('InvalidInput', message);
