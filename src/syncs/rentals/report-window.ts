import type { ReportRequest } from '../../connectors/rentals/rentals-client.ts';
import type { SourceContext } from '../../domain/source.ts';
import { addDays, daysBetween } from '../days.ts';

export type AskedDays = Pick<ReportRequest, 'dateFrom' | 'dateTo' | 'months'>;

const FIRST_MONTHS = 12;
const DAYS_OF_MONTH = 30;

/**
 * Which days to ask a location for: those the run names; else a year the first time, and from then on the last days
 * before `mark`, the day up to which it was last read. A location that failed for a while thus keeps its old window.
 */
export function daysToAsk(
  { window, full, today }: Pick<SourceContext, 'window' | 'full' | 'today'>,
  mark: string | undefined,
  incrementalDays: number,
): AskedDays {
  if (window) return between(window.from, addDays(window.to, -1));
  if (full || mark === undefined) return EVERYTHING;
  return between(addDays(mark < today ? mark : today, -incrementalDays), today);
}

const EVERYTHING: AskedDays = { dateFrom: '', dateTo: '', months: FIRST_MONTHS };

function between(dateFrom: string, dateTo: string): AskedDays {
  const months = Math.max(1, Math.ceil(daysBetween(dateFrom, dateTo) / DAYS_OF_MONTH));
  return { dateFrom, dateTo, months };
}
