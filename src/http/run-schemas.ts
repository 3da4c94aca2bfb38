/** What the API shows of runs; the handlers' types hold these and the domain's types together. */
import { z } from '@hono/zod-openapi';
import { RUN_STATUSES } from '../domain/run-result.ts';

export const RUN_KINDS = ['sync', 'plan', 'import', 'replay', 'undo'] as const;
const RUN_TRIGGERS = ['schedule', 'manual', 'signal', 'backfill', 'first_start', 'upload'] as const;
const TABLE_STATUSES = ['pending', 'running', 'completed', 'held', 'failed', 'skipped'] as const;

const count = () => z.number().int().min(0);
const instant = () => z.iso.datetime();
const seconds = () => z.number().nullable();

const tableResult = z
  .object({
    table: z.string(),
    status: z.enum(TABLE_STATUSES),
    success: z.boolean().openapi({ description: 'True only for a completed table.' }),
    rows_processed: count().openapi({ description: 'Valid rows of the source, changed or not.' }),
    inserted: count(),
    updated: count(),
    unchanged: count(),
    restored: count(),
    archived: count(),
    skipped: count(),
    duplicates: count(),
    quarantined: count(),
    error: z.string().nullable(),
  })
  .openapi('TableResult');

const stepResult = z
  .object({
    step: z.string(),
    success: z.boolean(),
    summary: z.string(),
    counts: z.record(z.string(), z.number()).readonly(),
    notices: z.array(z.string()).readonly().optional(),
  })
  .openapi('StepResult');

const runResultFields = z.object({
  run_id: z.string(),
  sync: z.string(),
  status: z.enum(RUN_STATUSES),
  start_time: instant(),
  end_time: instant().nullable(),
  duration_seconds: seconds(),
  total_tables: count(),
  success_count: count(),
  failure_count: count(),
  total_rows_processed: count(),
  error_message: z.string().nullable(),
  tables: z.array(tableResult).readonly(),
  enrich: z.array(stepResult).readonly(),
  derive: z.array(stepResult).readonly(),
  notices: z.array(z.string()).readonly(),
});

export const runResultSchema = runResultFields.openapi('RunResult');

const row = z.record(z.string(), z.unknown());

const reviewSchema = z
  .object({
    table: z.string(),
    reason: z.string().nullable().openapi({ description: 'Why the table is held.' }),
    inserted: count(),
    updated: count(),
    unchanged: count(),
    restored: count().openapi({ description: 'Rows that come back from the archive.' }),
    missing: count(),
    archived: count().openapi({ description: 'Rows that move to the archive.' }),
    quarantined: count(),
    samples: z.object({
      inserted: z.array(row).readonly(),
      restored: z.array(row).readonly(),
      quarantined: z
        .array(z.object({ position: z.number().int(), reasons: z.array(z.string()).readonly() }))
        .readonly(),
      missing: z.array(row).readonly(),
      updated: z
        .array(
          z.object({
            key: row,
            changes: z.record(z.string(), z.tuple([z.unknown(), z.unknown()]).readonly()).openapi({
              description: 'By column, the value before and after.',
            }),
          }),
        )
        .readonly(),
    }),
  })
  .openapi('Review');

const decisionSchema = z
  .object({ at: instant(), actor: z.string(), action: z.string(), reason: z.string().nullable() })
  .openapi('Decision');

export const runDetailSchema = runResultFields
  .extend({
    workflow_id: z.string(),
    origin: z
      .object({
        kind: z.enum(RUN_KINDS),
        scope: z.string().nullable(),
        trigger: z.enum(RUN_TRIGGERS),
        triggered_by: z.string().nullable(),
        window: z.object({ from: z.iso.date(), to: z.iso.date() }).nullable(),
      })
      .nullable()
      .openapi({ description: 'Where it comes from; null while no worker has come to it.' }),
    decisions: z.array(decisionSchema).openapi({ description: 'Who did what about the run, oldest first.' }),
    reviews: z.array(reviewSchema).openapi({ description: 'Of planned and held runs: what was shown.' }),
  })
  .openapi('RunDetail');

export const runSummarySchema = z
  .object({
    run_id: z.string(),
    kind: z.enum(RUN_KINDS),
    sync: z.string(),
    scope: z.string().nullable().openapi({ description: 'Such as a connection of a client.' }),
    trigger: z.enum(RUN_TRIGGERS),
    triggered_by: z.string().nullable(),
    status: z.enum(RUN_STATUSES),
    started_at: instant(),
    completed_at: instant().nullable(),
    duration_seconds: seconds(),
    total_tables: count(),
    success_count: count(),
    failure_count: count(),
    total_rows_processed: count(),
    quarantined: count(),
    error_message: z.string().nullable(),
    workflow_id: z.string(),
  })
  .openapi('RunSummary');

export const startedRunSchema = z
  .object({
    run_id: z.string(),
    workflow_id: z.string(),
    started: z.boolean().openapi({ description: 'False when that run was already under way.' }),
  })
  .openapi('StartedRun');
