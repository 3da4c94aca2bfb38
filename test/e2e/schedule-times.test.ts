import { expect, test } from 'vitest';
import { nextRuns } from '../../src/temporal/next-runs.ts';
import { scheduleSpec } from '../../src/temporal/schedule-spec.ts';
import { createTestNamespace } from '../support/engines.ts';

const { client, namespace } = await createTestNamespace();

const YEARS = [2027, 2028, 2029, 2030];
const NOW = new Date('2026-11-01T00:00:00Z');
const STEP_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 11, 31, 12);

/** The runs that the server itself expects in these years, asked for year by year. */
async function serverRuns(schedule: Schedule): Promise<string[]> {
  const scheduleId = `times-${schedule.timeZone.replaceAll('/', '-')}-${text(schedule)}`;
  const handle = await client.schedule.create({
    scheduleId,
    spec: scheduleSpec(schedule, NOW),
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
    state: { paused: true },
  });
  const answers = YEARS.map((year) =>
    client.workflowService.listScheduleMatchingTimes({
      namespace,
      scheduleId,
      startTime: timestamp(Date.UTC(year, 0, 1)),
      endTime: timestamp(Date.UTC(year + 1, 0, 1) - 1_000),
    }),
  );
  const runs = (await Promise.all(answers)).flatMap(({ startTime }) => startTime);
  await handle.delete();
  return runs.map(({ seconds }) => new Date(Number(seconds) * 1_000).toISOString());
}

/**
 * The rule, without any knowledge of zones: watch a clock for years, every quarter of an hour, and note when it
 * shows the time first; when it jumps over the time, the next full hour that it shows.
 */
function watchedRuns({ timeZone, at }: Schedule): string[] {
  const clock = clockOf(timeZone);
  const wanted = text({ at });
  const runs = new Map<string, string>();
  let shown = '';
  let isOwed = false;
  for (let instant = START_MS; instant < Date.UTC(2031, 0, 1); instant += STEP_MS) {
    const before = shown;
    shown = clock(instant);
    const previous = before === '' ? shown : quarterAfter(before);
    for (let missed = previous; missed < shown; missed = quarterAfter(missed))
      isOwed ||= missed.endsWith(wanted);
    const isDue = shown.endsWith(wanted) || (isOwed && shown.endsWith(':00'));
    if (!isDue) continue;
    isOwed = false;
    const earlier = runs.get(shown);
    // Shown twice: the spec starts the first one a second late.
    if (earlier === undefined) runs.set(shown, new Date(instant).toISOString());
    else if (earlier.endsWith(':00.000Z')) runs.set(shown, earlier.replace(':00.000Z', ':01.000Z'));
  }
  return [...runs.values()].filter((run) => run >= '2027' && run < '2031');
}

/** What a clock shows. It is looked at every quarter of an hour on days on which it is changed, else once a day. */
function clockOf(timeZone: string): (instant: number) => string {
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const aheadMs = (instant: number): number => shownMs(format.format(instant)) - instant;
  let [from, ahead, next] = [-Infinity, 0, 0];
  return (instant) => {
    if (instant >= from + DAY_MS) {
      from = START_MS + Math.floor((instant - START_MS) / DAY_MS) * DAY_MS;
      [ahead, next] = [aheadMs(from), aheadMs(from + DAY_MS)];
    }
    return ahead === next ? textOf(instant + ahead) : format.format(instant);
  };
}

interface Schedule {
  readonly id: string;
  readonly at: { readonly hour: number; readonly minute: number };
  readonly timeZone: string;
}

const timestamp = (ms: number): { seconds: never } => ({ seconds: (ms / 1_000) as never });
const two = (value: number): string => String(value).padStart(2, '0');
const text = ({ at }: Pick<Schedule, 'at'>): string => `${two(at.hour)}:${two(at.minute)}`;
const shownMs = (shown: string): number => Date.parse(`${shown.replace(' ', 'T')}Z`);
const textOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const quarterAfter = (shown: string): string => textOf(shownMs(shown) + STEP_MS);

test.concurrent.each([
  ['America/Los_Angeles', 2, 0],
  ['America/Los_Angeles', 2, 30],
  ['America/Los_Angeles', 1, 30],
  ['Europe/Berlin', 2, 30],
  ['Australia/Lord_Howe', 2, 0],
  ['Australia/Lord_Howe', 2, 15],
  ['Australia/Lord_Howe', 1, 30],
  ['Australia/Lord_Howe', 1, 45],
  ['Africa/Casablanca', 2, 30],
  ['America/Scoresbysund', 23, 30],
  ['Antarctica/Troll', 1, 30],
  ['UTC', 2, 30],
])('in %s, %i:%i runs once on every night of four years', async (timeZone, hour, minute) => {
  const schedule = { id: 'nightly', at: { hour, minute }, timeZone };
  const watched = watchedRuns(schedule);
  expect(watched).toHaveLength(4 * 365 + 1);
  expect(await serverRuns(schedule)).toEqual(watched);
  const shown = nextRuns(schedule, new Date('2026-12-31T23:59:59.999Z'), watched.length);
  expect(shown.map((date) => date.toISOString())).toEqual(watched);
});
