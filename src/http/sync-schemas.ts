/** What the API shows of syncs and their schedules. */
import { z } from '@hono/zod-openapi';
import { runSummarySchema } from './run-schemas.ts';

export const syncSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    off: z.string().nullable().openapi({ description: 'Why it cannot run; null when it can.' }),
    time_zone: z.string(),
    windows: z.enum(['none', 'days', 'complete days']),
    schedules: z.array(z.string()),
    tables: z.array(z.object({ name: z.string(), archives: z.boolean(), optional: z.boolean() })),
    last_run: runSummarySchema.nullable(),
    recent_runs: z
      .array(
        runSummarySchema.pick({
          run_id: true,
          status: true,
          started_at: true,
          duration_seconds: true,
          total_rows_processed: true,
        }),
      )
      .openapi({ description: 'The last ones, newest first.' }),
  })
  .openapi('Sync');

export const scheduleSchema = z
  .object({
    id: z.string(),
    sync: z.string().nullable(),
    spec: z.string().openapi({ example: 'daily 02:00 America/Los_Angeles' }),
    paused: z.boolean(),
    note: z.string().nullable(),
    next_times: z.array(z.iso.datetime()).readonly().openapi({
      description: 'The next three runs; of a paused schedule, when they would be.',
    }),
    last_started_at: z.iso.datetime().nullable(),
  })
  .openapi('Schedule');
