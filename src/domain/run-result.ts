import type { RunId } from './ids.ts';

export type TableStatus = 'pending' | 'running' | 'completed' | 'held' | 'failed' | 'skipped';
export const RUN_STATUSES = [
  'running',
  'planned',
  'held',
  'completed',
  'completed_with_errors',
  'failed',
  'rejected',
  'cancelled',
  'undone',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface TableResult {
  readonly table: string;
  readonly status: TableStatus;
  /** True only for a completed table. */
  readonly success: boolean;
  /** Valid rows of the source, changed or not. */
  readonly rows_processed: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly restored: number;
  readonly archived: number;
  readonly skipped: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly error: string | null;
}

export interface StepResult {
  readonly step: string;
  readonly success: boolean;
  /** One line for people, such as '562 addresses: 540 known, 22 asked, 20 found'. */
  readonly summary: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Unusual facts that a person should hear of. */
  readonly notices?: readonly string[];
}

/** What `run --json`, the HTTP API and the workflow's result show of a run. */
export interface RunResult {
  readonly run_id: RunId;
  readonly sync: string;
  readonly status: RunStatus;
  readonly start_time: string;
  readonly end_time: string | null;
  readonly duration_seconds: number | null;
  readonly total_tables: number;
  readonly success_count: number;
  readonly failure_count: number;
  readonly total_rows_processed: number;
  readonly error_message: string | null;
  readonly tables: readonly TableResult[];
  readonly enrich: readonly StepResult[];
  readonly derive: readonly StepResult[];
  /** Unusual but harmless facts: new columns, growth, addresses not found. */
  readonly notices: readonly string[];
}

/**
 * The status of a run whose tables have all ended. A hold outranks failures; skipped tables
 * (optional ones without a source, or discarded snapshots) count for nothing.
 */
export function runStatus(statuses: readonly TableStatus[]): RunStatus {
  const counted = statuses.filter((status) => status !== 'skipped');
  if (counted.includes('held')) return 'held';
  const failures = counted.filter((status) => status !== 'completed').length;
  if (failures === 0) return 'completed';
  return failures === counted.length ? 'failed' : 'completed_with_errors';
}
