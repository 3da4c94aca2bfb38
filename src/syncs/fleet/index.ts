import { z } from 'zod';
import { httpUrl, timeZone, wholeNumber, yesOrNo } from '../../settings.ts';
import { defineSync } from '../define-sync.ts';
import { geocode } from './geocode.ts';
import { preferredDays } from './preferred-days.ts';
import {
  approvedMakes,
  budgetSpending,
  currentActivity,
  loanHistory,
  mediaPartners,
  vehicles,
} from './tables.ts';
import { budgetAmounts, holidayBlackoutDates, opsCapacity, rules } from './uploads.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The nightly exports of the fleet management system (FMS). */
export const fleet = defineSync({
  name: 'fleet',
  title: 'Fleet: nightly FMS exports',
  schema: 'fleet',
  settings: z.object({
    FMS_VEHICLES_CSV_URL: httpUrl(),
    FMS_PARTNERS_CSV_URL: httpUrl(),
    FMS_LOAN_HISTORY_CSV_URL: httpUrl(),
    FMS_CURRENT_ACTIVITY_CSV_URL: httpUrl(),
    FMS_APPROVED_MAKES_CSV_URL: httpUrl(),
    FMS_BUDGET_SPENDING_CSV_URL: httpUrl(),
    SYNC_ENABLED: yesOrNo(true),
    SYNC_HOUR: wholeNumber(0, 23, 2),
    SYNC_MINUTE: wholeNumber(0, 59, 0),
    SYNC_TIMEZONE: timeZone('America/Los_Angeles'),
    GEOCODE_QPS: wholeNumber(1, 1_000, 50),
    GOOGLE_MAPS_API_KEY: z.string().optional(),
    GOOGLE_MAPS_BASE_URL: httpUrl(),
  }),
  scheduleOff: (settings) => (settings['SYNC_ENABLED'] ? undefined : 'SYNC_ENABLED is false'),
  timeZone: (settings) => String(settings['SYNC_TIMEZONE']),
  schedules: (settings) => [
    {
      id: 'fleet-nightly',
      at: { hour: Number(settings['SYNC_HOUR']), minute: Number(settings['SYNC_MINUTE']) },
      timeZone: String(settings['SYNC_TIMEZONE']),
      catchupWindowMs: 6 * HOUR_MS,
      input: { sync: 'fleet' },
    },
  ],
  windows: 'none',
  periodMs: 24 * HOUR_MS,
  runTimeoutMs: 2 * HOUR_MS,
  tables: [
    vehicles,
    mediaPartners,
    loanHistory,
    currentActivity,
    approvedMakes,
    budgetSpending,
    opsCapacity,
    holidayBlackoutDates,
    rules,
    budgetAmounts,
  ],
  enrich: [geocode],
  derive: [preferredDays],
});
