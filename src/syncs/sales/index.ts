import { z } from 'zod';
import { httpUrl, timeZone, yesOrNo } from '../../settings.ts';
import { defineSync } from '../define-sync.ts';
import { sales as salesTable, users } from './tables.ts';
import { zeroSales } from './zero-sales.ts';

const HOUR_MS = 3_600_000;

/** Sales of every day, from an API and from files; and users, from files. */
export const sales = defineSync({
  name: 'sales',
  title: 'Sales: yesterday from the API, any day from files',
  schema: 'sales',
  settings: z.object({
    SALES_API_URL: httpUrl(),
    SALES_API_KEY: z.string().optional(),
    SALES_TIMEZONE: timeZone('UTC'),
    SALES_EXPECT_DAILY: yesOrNo(true),
  }),
  timeZone: (settings) => String(settings['SALES_TIMEZONE']),
  schedules: (settings) => [
    {
      id: 'sales-daily',
      at: { hour: 2, minute: 0 },
      timeZone: String(settings['SALES_TIMEZONE']),
      // The day it is about does not change when it starts later.
      catchupWindowMs: 20 * HOUR_MS,
      input: { sync: 'sales' },
    },
  ],
  windows: 'complete days',
  // The step tells of them.
  routineNotices: /^sales: no sale on /,
  periodMs: 24 * HOUR_MS,
  runTimeoutMs: 4 * HOUR_MS,
  tables: [salesTable, users],
  enrich: [],
  derive: [zeroSales],
});
