import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { maintainBackup } from '../../workflows/maintain.ts';
import { MANUAL_BACKUP_ID } from '../domain/backups.ts';
import { TASK_QUEUE } from '../domain/ids.ts';

export interface StartedBackup {
  readonly workflowId: string;
  readonly runId: string;
  /** False when a backup asked for by hand was already under way. */
  readonly started: boolean;
}

/** Starts a backup on a worker, or finds the one under way. */
export async function startBackup(
  client: Client,
  by: string,
  taskQueue = TASK_QUEUE,
): Promise<StartedBackup> {
  const workflowId = MANUAL_BACKUP_ID;
  try {
    const handle = await client.workflow.start<typeof maintainBackup>('maintainBackup', {
      taskQueue,
      workflowId,
      args: [],
      workflowRunTimeout: '1 day',
      staticSummary: `Backup by ${by}`,
    });
    return { workflowId, runId: handle.firstExecutionRunId, started: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, started: false };
  }
}
