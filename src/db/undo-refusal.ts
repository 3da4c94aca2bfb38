import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { RunKind } from '../domain/run-plan.ts';
import type { RunStatus } from '../domain/run-result.ts';
import type { UndoPreview } from '../domain/undo.ts';

/** A run that somebody wants to undo. */
export interface RunToUndo {
  readonly runId: RunId;
  readonly kind: RunKind;
  readonly sync: string;
  readonly scope: string;
  readonly status: RunStatus;
  /** The run that has undone it, and how many rows that took back. */
  readonly undoneBy: RunId | null;
  readonly undoneRows: number;
  readonly watermarks: UndoPreview['watermarks'];
}

/** @returns undefined when there is no such run */
export async function readRunToUndo(
  client: pg.PoolClient,
  of: RunId,
  lock: '' | 'FOR UPDATE' = '',
): Promise<RunToUndo | undefined> {
  const { rows } = await client.query<Omit<RunToUndo, 'watermarks'>>(
    `SELECT run_id AS "runId", kind, sync, coalesce(scope, '') AS scope, status,
            metadata ->> 'undone_by' AS "undoneBy", coalesce((metadata ->> 'undone_rows')::bigint, 0) AS "undoneRows"
     FROM durasync.sync_runs WHERE run_id = $1 ${lock}`,
    [of],
  );
  if (!rows[0]) return undefined;
  const moved = await client.query<UndoPreview['watermarks'][number]>(
    `SELECT c.name, c.before_value AS value
     FROM durasync.watermark_changes c JOIN durasync.watermarks w USING (sync, scope, name)
     WHERE c.run_id = $1 AND (c.before_value IS NULL OR c.before_value < w.value) ORDER BY c.name`,
    [of],
  );
  return { ...rows[0], watermarks: moved.rows };
}

/** Why a run can't be undone, whatever its rows are like now; null when it may be. */
export async function refusalOf(
  client: pg.PoolClient,
  run: RunToUndo,
  undoRunId: RunId | null,
): Promise<string | null> {
  const own = refusalOfRun(run);
  if (own !== null) return own;
  const { rows } = await client.query<{ run_id: string; kind: string }>(
    `SELECT run_id, kind FROM durasync.sync_runs
     WHERE sync = $1 AND coalesce(scope, '') = $2 AND status = 'running' AND kind <> 'plan'
       AND run_id IS DISTINCT FROM $3 LIMIT 1`,
    [run.sync, run.scope, undoRunId],
  );
  return rows[0]
    ? `Run ${rows[0].run_id} of ${run.sync} is under way. Undo when it has ended: npx durasync runs show ${rows[0].run_id}`
    : null;
}

function refusalOfRun({ runId, kind, status, sync, undoneBy }: RunToUndo): string | null {
  if (kind === 'undo') {
    return `Run ${runId} is itself an undo, which can't be undone. To apply the source again: npx durasync run ${sync}`;
  }
  if (kind === 'plan') return `Run ${runId} only showed what a run would do. It has changed nothing.`;
  switch (status) {
    case 'running':
      return `Run ${runId} is still under way. Stop it first with: npx durasync runs cancel ${runId}`;
    case 'held':
      return `Run ${runId} waits for a decision. Reject it first with: npx durasync runs reject ${runId}`;
    case 'undone':
      return `Run ${runId} has been undone already${undoneBy ? `, by run ${undoneBy}` : ''}.`;
    case 'planned':
    case 'completed':
    case 'completed_with_errors':
    case 'failed':
    case 'rejected':
    case 'cancelled':
      return null;
  }
}
