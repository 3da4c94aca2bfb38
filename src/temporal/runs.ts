import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { runSync } from '../../workflows/run-sync.ts';
import type { decideHold } from '../../workflows/decide-hold.ts';
import type { reconcileClients } from '../../workflows/reconcile-clients.ts';
import type { sweepRuns } from '../../workflows/sweep-runs.ts';
import type { undoRun } from '../../workflows/undo-run.ts';
import type { Decision, RunSyncInput } from '../domain/contracts.ts';
import type { UndoRunInput } from '../domain/undo.ts';
import {
  holdId,
  importRunId,
  manualRunId,
  planRunId,
  replayRunId,
  type RunId,
  TASK_QUEUE,
  undoId,
} from '../domain/ids.ts';

export interface StartedRun {
  readonly runId: RunId;
  readonly workflowId: string;
  /** False when a run in the same slot was already under way; its ids are given then. */
  readonly started: boolean;
}

/** A run that nobody can decide on: it is not held, or no longer. */
export class NotHeldError extends Error {
  override readonly name = 'NotHeldError';
}

/** Starts a run in the slot of its sync, or finds the one that is already running there. */
export async function startRun(
  client: Client,
  input: RunSyncInput,
  taskQueue = TASK_QUEUE,
): Promise<StartedRun> {
  const workflowId = slotOf(input);
  return startOrFind(client, workflowId, () =>
    client.workflow.start<typeof runSync>('runSync', {
      taskQueue,
      workflowId,
      args: [input],
      staticSummary: `${input.sync}: ${input.kind ?? 'sync'} by ${input.triggeredBy ?? 'hand'}`,
    }),
  );
}

/** Starts undoing a run, or finds the undo of it that is under way. */
export async function startUndo(
  client: Client,
  input: UndoRunInput,
  taskQueue = TASK_QUEUE,
): Promise<StartedRun> {
  const workflowId = undoId(input.of);
  return startOrFind(client, workflowId, () =>
    client.workflow.start<typeof undoRun>('undoRun', {
      taskQueue,
      workflowId,
      args: [input],
      staticSummary: `undo run ${input.of} by ${input.triggeredBy ?? 'hand'}`,
    }),
  );
}

async function startOrFind(
  client: Client,
  workflowId: string,
  start: () => Promise<{ readonly firstExecutionRunId: string }>,
): Promise<StartedRun> {
  try {
    const handle = await start();
    return { runId: handle.firstExecutionRunId as RunId, workflowId, started: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { runId: runId as RunId, workflowId, started: false };
  }
}

function slotOf({ kind = 'sync', sync, uploadId = '' }: RunSyncInput): string {
  switch (kind) {
    case 'plan':
      return planRunId(sync);
    case 'replay':
      return replayRunId(sync);
    case 'import':
      return importRunId(uploadId);
    case 'sync':
    case 'undo':
      return manualRunId(sync);
  }
}

/**
 * Approves or rejects a held run. Returns as soon as the decision is recorded.
 *
 * @throws NotHeldError when the run is not waiting, or somebody has decided already
 */
export async function decideRun(client: Client, runId: RunId, decision: Decision): Promise<void> {
  const handle = client.workflow.getHandle<typeof decideHold>(holdId(runId));
  try {
    await handle.executeUpdate<void, [Decision]>('decide', { args: [decision] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) {
      throw new NotHeldError(
        `Run ${runId} does not wait for a decision. See its state with: npx durasync runs show ${runId}`,
      );
    }
    throw error;
  }
}

/** Waits until a decision has been carried out. */
export async function decisionDone(client: Client, runId: RunId): Promise<void> {
  await client.workflow.getHandle<typeof decideHold>(holdId(runId)).result();
}

/** Asks a run to stop after the step it is in; its row ends as cancelled. */
export async function cancelRun(client: Client, workflowId: string, runId: RunId): Promise<void> {
  await client.workflow.getHandle(workflowId, runId).cancel();
}

/** Ends the rows of runs that were lost, unless such a sweep is already under way. */
export async function startSweep(client: Client, taskQueue = TASK_QUEUE): Promise<void> {
  await client.workflow.start<typeof sweepRuns>('sweepRuns', {
    taskQueue,
    workflowId: 'sweep-runs',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [],
    staticSummary: 'end the rows of runs whose workflow is gone',
  });
}

/** Starts the workflows of clients that are missing, and ends those of removed ones, unless that is under way. */
export async function startReconcile(client: Client, taskQueue = TASK_QUEUE): Promise<void> {
  await client.workflow.start<typeof reconcileClients>('reconcileClients', {
    taskQueue,
    workflowId: 'clients-reconcile',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [],
    staticSummary: 'start missing workflows of clients and end those of removed ones',
  });
}
