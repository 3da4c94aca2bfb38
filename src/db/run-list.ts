import { sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { RunKind, RunTrigger } from '../domain/run-plan.ts';
import type { RunStatus } from '../domain/run-result.ts';
import type { Db } from './connect.ts';
import type { ReviewShown } from './review-sample.ts';

/** One line of the history. */
export interface RunSummary {
  readonly run_id: RunId;
  readonly kind: RunKind;
  readonly sync: string;
  /** What it ran for within the sync, such as a connection of a client; null when the sync is one whole. */
  readonly scope: string | null;
  readonly trigger: RunTrigger;
  readonly triggered_by: string | null;
  readonly status: RunStatus;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly duration_seconds: number | null;
  readonly total_tables: number;
  readonly success_count: number;
  readonly failure_count: number;
  readonly total_rows_processed: number;
  readonly quarantined: number;
  readonly error_message: string | null;
  readonly workflow_id: string;
}

export interface RunFilter {
  readonly sync?: string;
  readonly status?: string;
  readonly kind?: RunKind;
  /** Only runs that began before this instant (ISO), for the next page. */
  readonly before?: string;
  readonly limit: number;
}

/** The newest runs first. */
export async function listRuns(db: Db, filter: RunFilter): Promise<RunSummary[]> {
  const { sync: name, status, kind, before, limit } = filter;
  let query = db
    .selectFrom('durasync.sync_runs')
    .selectAll()
    .select(
      sql<number>`(SELECT coalesce(sum(t.quarantined), 0)::bigint FROM durasync.sync_run_tables t
        WHERE t.run_id = sync_runs.run_id)`.as('quarantined'),
    )
    .orderBy('started_at', 'desc')
    .limit(limit);
  if (name !== undefined) query = query.where('sync', '=', name);
  if (before !== undefined) query = query.where('started_at', '<', new Date(before));
  if (status !== undefined) query = query.where('status', '=', status);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  const rows = await query.execute();
  return rows.map((row) => ({
    run_id: row.run_id as RunId,
    kind: row.kind as RunKind,
    sync: row.sync,
    scope: row.scope,
    trigger: row.trigger as RunTrigger,
    triggered_by: row.triggered_by,
    status: row.status as RunStatus,
    started_at: row.started_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    duration_seconds: row.completed_at
      ? (row.completed_at.getTime() - row.started_at.getTime()) / 1000
      : null,
    total_tables: row.total_tables,
    success_count: row.success_count,
    failure_count: row.failure_count,
    total_rows_processed: row.total_rows_processed,
    quarantined: row.quarantined,
    error_message: row.error_message,
    workflow_id: row.workflow_id,
  }));
}

/** Where a run comes from. */
export interface RunOrigin extends Pick<RunSummary, 'kind' | 'scope' | 'trigger' | 'triggered_by'> {
  /** Days from (inclusive) and to (exclusive), of a sync that has windows. */
  readonly window: { readonly from: string; readonly to: string } | null;
}

/** Null for a run that no worker has come to yet. */
export async function readRunOrigin(db: Db, runId: RunId): Promise<RunOrigin | null> {
  const row = await db
    .selectFrom('durasync.sync_runs')
    .select(['kind', 'scope', 'trigger', 'triggered_by', 'window_start', 'window_end'])
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (!row) return null;
  const { window_start: from, window_end: to, ...origin } = row;
  return {
    ...origin,
    kind: origin.kind as RunKind,
    trigger: origin.trigger as RunTrigger,
    window: from !== null && to !== null ? { from, to } : null,
  };
}

/** The runs whose id begins with these letters; at most two, enough to tell 'one' from 'several'. */
export async function findRuns(db: Db, idPrefix: string): Promise<{ runId: RunId; workflowId: string }[]> {
  const rows = await db
    .selectFrom('durasync.sync_runs')
    .select(['run_id', 'workflow_id'])
    .where((where) => where(where.fn<string>('left', ['run_id', where.val(idPrefix.length)]), '=', idPrefix))
    .limit(2)
    .execute();
  return rows.map((row) => ({ runId: row.run_id as RunId, workflowId: row.workflow_id }));
}

/** What was shown of the tables of a planned or held run: counts, reason and sample rows. */
export async function readReviews(db: Db, runId: RunId): Promise<(ReviewShown & { table: string })[]> {
  const rows = await db
    .selectFrom('durasync.sync_run_tables')
    .select(['table_name', 'review'])
    .where('run_id', '=', runId)
    .where('review', 'is not', null)
    .orderBy('table_name')
    .execute();
  return rows.map((row) => ({ table: row.table_name, ...(row.review as unknown as ReviewShown) }));
}

/** Who decided what about a run, oldest first. */
export async function readDecisions(
  db: Db,
  runId: RunId,
): Promise<{ at: string; actor: string; action: string; reason: string | null }[]> {
  const rows = await db
    .selectFrom('durasync.audit_log')
    .selectAll()
    .where('subject', '=', runId)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    at: row.at.toISOString(),
    actor: row.actor,
    action: row.action,
    reason: (row.detail['reason'] as string | undefined) ?? null,
  }));
}
