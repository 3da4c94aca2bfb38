import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { defineRentals } from '../../src/syncs/rentals/index.ts';
import { KNOWN_LOCATIONS } from '../../src/syncs/rentals/locations.ts';
import { type ActivityHarness, readingOf, tableOfRun } from '../support/activity-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { booking, startFakeRentals } from '../support/fake-rentals.ts';
import { NO_CLIENTS } from '../support/no-clients.ts';
import { NO_NOTIFICATIONS } from '../support/no-notifications.ts';
import { runActivity } from '../support/temporal-log.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const database = await createTestDatabase();
const api = await startFakeRentals();
const activities = createActivities({
  database,
  http: createAgent(),
  syncs: [defineRentals({ apartMs: 0, firstWaitMs: 1 })],
  env: { RETURN_API_BASE_URL: api.url, SYNC_CONCURRENCY: '21' },
  log: pino({ level: 'silent' }),
  isOpen: async () => true,
  keys: TEST_KEYS,
  clients: NO_CLIENTS,
  ...NO_NOTIFICATIONS,
});
const call: ActivityHarness['call'] = (name, ...input) => {
  const activity = activities[name] as (...args: unknown[]) => Promise<never>;
  return runActivity(activity, ...input);
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-11-20T00:00:00Z');
const CYCLES = 288;
let nowMs = START_MS;

/** Bookings appear all the time; the software shows those that were made on the days it is asked for. */
const made = Array.from({ length: 400 }, (_, index) => ({
  number: index,
  location: Number(KNOWN_LOCATIONS[index % KNOWN_LOCATIONS.length]?.id),
  atMs: START_MS - 2 * DAY_MS + index * 37 * MINUTE_MS,
}));
/** Locations that do not answer, with the time until when. */
const outages = [
  { location: 7, fromMs: START_MS + 3 * 60 * MINUTE_MS, toMs: START_MS + 5 * 60 * MINUTE_MS },
  { location: 12, fromMs: START_MS + 60 * MINUTE_MS, toMs: START_MS + 9.5 * DAY_MS },
];

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
for (const { id } of KNOWN_LOCATIONS) {
  const location = Number(id);
  api.answer('bookings', location, ({ body }, response: ServerResponse) => {
    const isOut = outages.some((out) => out.location === location && out.fromMs <= nowMs && nowMs < out.toMs);
    if (isOut) return void response.writeHead(503).end();
    const { dateFrom = '', dateTo = '' } = body;
    const shown = made.filter((each) => {
      if (each.location !== location || each.atMs > nowMs) return false;
      return dateFrom === '' || (dayOf(each.atMs) >= dateFrom && dayOf(each.atMs) <= dateTo);
    });
    response.end(JSON.stringify({ data: shown.map(({ number }) => booking(number)) }));
  });
}

async function cycle(): Promise<void> {
  const plan = await call('planRun', {
    sync: 'rentals',
    tables: ['bookings'],
    runId: randomUUID() as RunId,
    workflowId: 'test',
    trigger: 'schedule',
    logicalAt: new Date(nowMs).toISOString(),
  });
  const of = tableOfRun(plan, 'bookings');
  const staged = await call('stageTable', { ...of, ...readingOf(plan) });
  if (!staged.ended) {
    const review = await call('reviewTable', { ...of, staged, kind: plan.kind });
    if (review.verdict === 'pass') await call('mergeStaged', { ...of, staged, review });
  }
  await call('finishRun', { runId: plan.runId });
}

async function missing(): Promise<number[]> {
  const { rows } = await database.pool.query<{ booking_no: string }>('SELECT booking_no FROM rentals.leads');
  expect(new Set(rows.map((row) => row.booking_no)).size).toBe(rows.length);
  const there = new Set(rows.map((row) => row.booking_no));
  const shown = made.filter(({ atMs }) => atMs <= nowMs);
  return shown.flatMap(({ number, location }) => (there.has(`BK${number}`) ? [] : [location]));
}

test('a day of five-minute cycles with outages leaves no duplicate and no gap, and an outage of nine days heals', async () => {
  for (let index = 0; index < CYCLES; index += 1) {
    nowMs = START_MS + index * 5 * MINUTE_MS;
    await cycle();
  }
  expect(new Set(await missing())).toEqual(new Set([12]));
  for (nowMs = START_MS + 2 * DAY_MS; nowMs <= START_MS + 9 * DAY_MS; nowMs += DAY_MS) await cycle();
  expect(new Set(await missing())).toEqual(new Set([12]));
  nowMs = START_MS + 10 * DAY_MS;
  await cycle();
  expect(await missing()).toEqual([]);
  const { rows } = await database.pool.query(
    `SELECT count(*) FILTER (WHERE status = 'completed') AS completed, count(*) AS runs FROM durasync.sync_runs`,
  );
  expect(rows).toEqual([{ completed: CYCLES + 9, runs: CYCLES + 9 }]);
  const left = await database.pool.query(`SELECT FROM pg_tables WHERE schemaname = 'durasync_staging'`);
  expect(left.rowCount).toBe(0);
}, 300_000);
