import { holdId, type RunId } from '../src/domain/ids.ts';
import { readStatus } from '../src/db/runs.ts';
import { dropStaging } from '../src/db/staging.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { endRun } from './end-run.ts';

/**
 * Ends the rows of runs whose workflow is gone (terminated, timed out, or lost with the server's state) and
 * drops what they staged. Safe to repeat.
 *
 * @returns how many rows were ended
 */
export async function sweepRuns(deps: ActivityDependencies): Promise<number> {
  const { isOpen, log } = deps;
  const { db } = deps.database;
  const open = await db
    .selectFrom('durasync.sync_runs')
    .select(['run_id', 'workflow_id', 'status'])
    .where('status', 'in', ['running', 'held'])
    .execute();
  let ended = 0;
  for (const run of open) {
    const runId = run.run_id as RunId;
    const held = run.status === 'held';
    if (held ? await isOpen(holdId(runId)) : await isOpen(run.workflow_id, runId)) continue;
    // Since it was read the run may have ended as it should; without its workflow nothing changes it any more.
    if ((await readStatus(db, runId)) !== run.status) continue;
    await endRun(deps, { runId, ...(held ? LOST_HOLD : LOST_RUN) });
    await dropStaging(db, runId);
    log.warn({ runId }, 'ended a run whose workflow is gone');
    ended += 1;
  }
  // Also what a dead worker could not have sent.
  await deps.wakeNotifications();
  return ended;
}

const LOST_RUN = {
  status: 'failed',
  message: 'The workflow of this run is gone: it was terminated, timed out, or lost with the server.',
} as const;

const LOST_HOLD = {
  status: 'rejected',
  message: 'The workflow that waited for a decision is gone. Start a new run.',
} as const;
