import { describe, expect, test } from 'vitest';
import type { ScheduleDefinition } from '../syncs/define-sync.ts';
import { ago, staleFrom } from './freshness.ts';

const schedule = (at: ScheduleDefinition['at'], timeZone = 'UTC'): ScheduleDefinition => ({
  id: 'a-schedule',
  at,
  timeZone,
  catchupWindowMs: 0,
  input: { sync: 'a' },
});
const stale = (since: string, ...schedules: ScheduleDefinition[]): string | undefined =>
  staleFrom(schedules, new Date(since))?.toISOString();

describe('a sync is stale', () => {
  const nightly = schedule({ hour: 2, minute: 0 });

  test('twice its period after it completed', () => {
    expect(stale('2026-11-20T02:06:00Z', nightly)).toBe('2026-11-22T02:06:00.000Z');
    expect(stale('2026-11-20T10:00:12Z', schedule({ cron: '*/5 * * * *' }))).toBe('2026-11-20T10:10:12.000Z');
  });

  test('not earlier because a person ran it between two of its times', () => {
    expect(stale('2026-11-20T01:30:00Z', nightly)).toBe('2026-11-22T01:30:00.000Z');
  });

  test('not at times when none of its runs is due', () => {
    const officeHours = schedule({ cron: '*/5 8-18 * * 1-5' });
    expect(stale('2026-11-20T18:55:30Z', officeHours)).toBe('2026-11-23T08:05:00.000Z');
  });

  test('by the schedule that runs most often', () => {
    const often = schedule({ cron: '0 0,6,12,18 * * *' });
    expect(stale('2026-11-21T18:00:30Z', schedule({ cron: '0 3 * * 0' }), often)).toBe(
      '2026-11-22T06:00:30.000Z',
    );
  });

  test('by the clock of its zone, also when that changes', () => {
    // On 2026-11-01 the clocks of Los Angeles go back: the day has 25 hours.
    const zoned = schedule({ hour: 2, minute: 0 }, 'America/Los_Angeles');
    expect(stale('2026-10-31T09:04:00Z', zoned)).toBe('2026-11-02T10:00:00.000Z');
  });

  test('never when it has no schedule', () => {
    expect(stale('2026-11-20T02:00:00Z')).toBeUndefined();
  });
});

test.each([
  ['2026-11-20T10:00:00Z', '0 min ago'],
  ['2026-11-20T08:30:00Z', '90 min ago'],
  ['2026-11-19T10:00:00Z', '24 h ago'],
  ['2026-11-10T10:00:00Z', '10 days ago'],
])('%s is said as %s', (then, text) => {
  expect(ago(new Date(then), new Date('2026-11-20T10:00:00Z'))).toBe(text);
});
