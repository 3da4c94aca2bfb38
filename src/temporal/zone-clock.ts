/**
 * What the clocks of a zone show at an instant. Both are milliseconds; a reading counts as if the clock showed
 * UTC, so that readings can be compared and added up without their zone.
 */
export type ZoneClock = (instantMs: number) => number;

/** The clock of a zone such as America/Los_Angeles, to the second. */
export function zoneClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instantMs) => {
    const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const [year, month, day] = [part('year'), part('month'), part('day')];
    return Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second'));
  };
}

/** When a clock shows a reading. */
export interface Occurrence {
  /** `missing` when clocks going forward jump over it, `twice` when clocks going back show it again. */
  readonly kind: 'once' | 'missing' | 'twice';
  /** The instant; for `missing` that of the next full hour the clock shows, for `twice` the first one. */
  readonly instantMs: number;
  /** How far the clock is moved within a day of the reading; 0 when it is not. */
  readonly shiftMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function findReading(clock: ZoneClock, readingMs: number): Occurrence {
  // No zone is further than a day from UTC, and none changes its clocks twice within two days.
  const offsetMs = (instantMs: number): number => clock(instantMs) - instantMs;
  const [earlierMs, laterMs] = [offsetMs(readingMs - DAY_MS), offsetMs(readingMs + DAY_MS)];
  const shiftMs = Math.abs(laterMs - earlierMs);
  const instants = [...new Set([earlierMs, laterMs])]
    .map((aheadMs) => readingMs - aheadMs)
    .filter((instantMs) => clock(instantMs) === readingMs);
  if (instants.length > 0) {
    return { kind: instants.length === 1 ? 'once' : 'twice', instantMs: Math.min(...instants), shiftMs };
  }
  const nextFullHourMs = Math.floor(readingMs / HOUR_MS) * HOUR_MS + HOUR_MS;
  return { kind: 'missing', instantMs: findReading(clock, nextFullHourMs).instantMs, shiftMs };
}
