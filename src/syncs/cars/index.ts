import { z } from 'zod';
import { httpUrl, wholeNumber } from '../../settings.ts';
import { defineSync } from '../define-sync.ts';
import { countDomains } from './count-domains.ts';
import { cars as carsTable } from './tables.ts';

const HOUR_MS = 3_600_000;
const PAGE_DELAY_MAX_MS = 600_000;

/** Cars of auctions and listings: the newest every six hours, all of them every week. */
export const cars = defineSync({
  name: 'cars',
  title: 'Cars: listings of auctions and market places',
  schema: 'cars',
  settings: z.object({
    AUCTIONS_API_BASE_URL: httpUrl(),
    AUCTIONS_API_KEY: z.string().optional(),
    CARS_PAGE_DELAY_MS: wholeNumber(0, PAGE_DELAY_MAX_MS, 2_000),
  }),
  timeZone: () => 'UTC',
  schedules: () => [
    {
      id: 'cars-six-hourly',
      at: { cron: '0 0,6,12,18 * * *' },
      timeZone: 'UTC',
      catchupWindowMs: HOUR_MS,
      input: { sync: 'cars' },
    },
    {
      id: 'cars-full-weekly',
      at: { cron: '0 3 * * 0' },
      timeZone: 'UTC',
      catchupWindowMs: 24 * HOUR_MS,
      input: { sync: 'cars', full: true },
    },
  ],
  windows: 'none',
  periodMs: 6 * HOUR_MS,
  runTimeoutMs: 4 * HOUR_MS,
  tables: [carsTable],
  enrich: [],
  derive: [countDomains],
});
