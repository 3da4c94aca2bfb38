import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { findRuns } from '../db/run-list.ts';
import { readRunResult } from '../db/run-result.ts';
import { isRunId, manualRunId, planRunId, type RunId } from '../domain/ids.ts';
import type { RunResult, RunStatus } from '../domain/run-result.ts';
import type { Api } from './api.ts';
import { failureOf } from './failure-of.ts';
import { ProblemError } from './problems.ts';

export interface FoundRun {
  readonly runId: RunId;
  readonly workflowId: string;
  readonly result: RunResult;
}

/**
 * A run by its whole id. One that was started by hand and has no row yet, because no worker has come to it, is
 * shown as Temporal knows it.
 *
 * @throws ProblemError not-found
 */
export async function findRun(api: Api, id: string): Promise<FoundRun> {
  const found = (await fromDatabase(api, id)) ?? (await fromTemporal(api, id));
  if (found) return found;
  throw new ProblemError('not-found', `There is no run '${id}'. See the runs there are at /api/runs.`);
}

async function fromDatabase({ session }: Api, id: string): Promise<FoundRun | undefined> {
  const { db } = session.database;
  const row = (await findRuns(db, id)).find(({ runId }) => runId === id);
  const result = row && (await readRunResult(db, row.runId));
  return result && { ...row, result };
}

async function fromTemporal({ session, syncs }: Api, id: string): Promise<FoundRun | undefined> {
  if (!isRunId(id)) return undefined;
  const slots = syncs.flatMap(({ definition: { name: sync } }) => [
    { sync, workflowId: manualRunId(sync) },
    { sync, workflowId: planRunId(sync) },
  ]);
  const found = await Promise.all(slots.map((slot) => describe(session.client, slot, id)));
  return found.find((run) => run !== undefined);
}

async function describe(
  client: Api['session']['client'],
  { sync, workflowId }: { sync: string; workflowId: string },
  runId: RunId,
): Promise<FoundRun | undefined> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const execution = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (!execution) return undefined;
  const { startTime, closeTime } = execution;
  const failure = closeTime && (await handle.result().catch((error: unknown) => error));
  const result: RunResult = {
    run_id: runId,
    sync,
    status: statusOf(execution.status.name),
    start_time: startTime.toISOString(),
    end_time: closeTime?.toISOString() ?? null,
    duration_seconds: closeTime ? (closeTime.getTime() - startTime.getTime()) / 1000 : null,
    total_tables: 0,
    success_count: 0,
    failure_count: 0,
    total_rows_processed: 0,
    error_message: failure instanceof WorkflowFailedError ? failureOf(failure).message : null,
    tables: [],
    enrich: [],
    derive: [],
    notices: [],
  };
  return { runId, workflowId, result };
}

function statusOf(name: string): RunStatus {
  switch (name) {
    case 'RUNNING':
    case 'PAUSED':
      return 'running';
    case 'CANCELLED':
      return 'cancelled';
    default:
      return 'failed';
  }
}
