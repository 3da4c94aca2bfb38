import { z } from 'zod';
import { createRentalsClient } from '../../connectors/rentals/rentals-client.ts';
import { createSpacing } from '../../connectors/rentals/spacing.ts';
import { cronText, httpUrl, parseCron, timeZone, wholeNumber, yesOrNo } from '../../settings.ts';
import { defineSync, type Settings, type SyncDefinition } from '../define-sync.ts';
import type { OpenClient } from './stores-source.ts';
import { bookings, returns, stores } from './tables.ts';
import { lossOfSale, walkIns } from './visits.ts';

const MINUTE_MS = 60_000;
const APART_MS = 500;
/** A run that takes longer than this has hung, however seldom it runs. */
const RUN_MS_MAX = 9.5 * MINUTE_MS;
/** Of the time between two runs; two of them would let a hung run silence its schedule for long. */
const RUN_SHARE = 1.9;

export interface RentalsOptions {
  /** Between the starts of two calls to one report, in milliseconds. */
  readonly apartMs?: number;
  /** Before the second try of a call, in milliseconds. */
  readonly firstWaitMs?: number;
}

/** Stores, bookings and returns of the rental software, and the leads that stores hand in as files. */
export function defineRentals({ apartMs = APART_MS, firstWaitMs }: RentalsOptions = {}): SyncDefinition {
  // Shared by all runs of this process, so that two of them together keep the calls apart too.
  const spacing = { bookings: createSpacing(apartMs), returns: createSpacing(apartMs) };
  const open: OpenClient = ({ settings, http }) =>
    createRentalsClient({
      baseUrl: String(settings['RETURN_API_BASE_URL']),
      apiKey: settings['RETURN_API_KEY'] as string | undefined,
      http,
      spacing,
      firstWaitMs,
    });
  return defineSync({
    name: 'rentals',
    title: 'Rentals: stores, bookings and returns',
    schema: 'rentals',
    settings: z.object({
      API_SYNC_ENABLED: yesOrNo(true),
      API_SYNC_TIME: cronText('*/5 * * * *'),
      API_SYNC_TIMEZONE: timeZone('UTC'),
      API_SYNC_INCREMENTAL_DAYS: wholeNumber(1, 365, 7),
      RETURN_API_BASE_URL: httpUrl(),
      RETURN_API_KEY: z.string().optional(),
      SYNC_CONCURRENCY: wholeNumber(1, 100, 5),
    }),
    scheduleOff: (settings) => (settings['API_SYNC_ENABLED'] ? undefined : 'API_SYNC_ENABLED is false'),
    timeZone: (settings) => String(settings['API_SYNC_TIMEZONE']),
    schedules: (settings) => [
      {
        id: 'rentals-api',
        at: { cron: String(settings['API_SYNC_TIME']) },
        timeZone: String(settings['API_SYNC_TIMEZONE']),
        catchupWindowMs: 5 * MINUTE_MS,
        input: { sync: 'rentals' },
      },
    ],
    windows: 'days',
    periodMs: 5 * MINUTE_MS,
    runTimeoutMs: (settings) => Math.min(RUN_MS_MAX, Math.round(shortestPauseMs(settings) * RUN_SHARE)),
    routineNotices: /^\w+: \d+\/\d+ locations read/,
    tables: [stores(open), bookings(open), returns(open), walkIns, lossOfSale],
    enrich: [],
    derive: [],
  });
}

const RUNS_LOOKED_AT = 100;

/** The shortest time between two of the next runs. */
function shortestPauseMs(settings: Settings): number {
  const cron = parseCron(String(settings['API_SYNC_TIME']), String(settings['API_SYNC_TIMEZONE']));
  const times = cron.nextRuns(RUNS_LOOKED_AT).map((time) => time.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}
