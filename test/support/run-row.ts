import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { RunId } from '../../src/domain/ids.ts';

/** The row of a run as `planRun` and `finishRun` leave it, without the run. */
export async function addRunRow(
  pool: pg.Pool,
  row: { readonly kind?: string; readonly trigger?: string; readonly failureCode?: string | null } = {},
): Promise<RunId> {
  const { kind = 'sync', trigger = 'manual', failureCode = null } = row;
  const runId = randomUUID() as RunId;
  await pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, metadata)
     VALUES ($1, $2, 'commerce', $1, $3, now(), jsonb_strip_nulls(jsonb_build_object('failure_code', $4::text)))`,
    [runId, kind, trigger, failureCode],
  );
  return runId;
}
