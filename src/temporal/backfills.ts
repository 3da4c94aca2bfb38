import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { backfillSync } from '../../workflows/backfill.ts';
import { backfillId, type BackfillInput, type BackfillStatus } from '../domain/backfills.ts';
import { type RunId, TASK_QUEUE } from '../domain/ids.ts';

/** A backfill that can't be started, or is not there to be looked at; the message says what to do. */
class BackfillError extends Error {
  override readonly name = 'BackfillError';
}

/**
 * Starts a backfill and returns the id of its first execution.
 *
 * @throws BackfillError when one of the sync is under way
 */
export async function startBackfill(
  client: Client,
  input: BackfillInput,
  taskQueue = TASK_QUEUE,
): Promise<RunId> {
  try {
    const handle = await client.workflow.start<typeof backfillSync>('backfillSync', {
      taskQueue,
      workflowId: backfillId(input.sync),
      args: [input],
      staticSummary: `${input.sync}: backfill from ${input.from} to ${input.to}`,
    });
    return handle.firstExecutionRunId as RunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new BackfillError(
      `A backfill of ${input.sync} is under way. See it with: npx durasync backfill show ${input.sync}`,
      { cause: error },
    );
  }
}

/** How a backfill stands, and whether it goes on. */
export interface SeenBackfill {
  readonly state: 'running' | 'completed' | 'cancelled' | 'failed';
  readonly status: BackfillStatus;
}

/** The last backfill of a sync. @throws BackfillError when there is none that Temporal still knows of */
export async function readBackfill(client: Client, sync: string): Promise<SeenBackfill> {
  const handle = client.workflow.getHandle<typeof backfillSync>(backfillId(sync));
  try {
    const { status } = await handle.describe();
    return { state: stateOf(status.name), status: await handle.query<BackfillStatus>('status') };
  } catch (error) {
    throw explained(error, sync);
  }
}

function stateOf(name: string): SeenBackfill['state'] {
  switch (name) {
    case 'RUNNING':
    case 'PAUSED':
    case 'CONTINUED_AS_NEW':
      return 'running';
    case 'COMPLETED':
      return 'completed';
    case 'CANCELLED':
      return 'cancelled';
    default:
      return 'failed';
  }
}

/** What can be asked of a backfill that is under way. */
export type BackfillChange = 'pause' | 'resume' | 'cancel';

/**
 * Pauses, resumes or cancels. Windows that are open go on to their end, unless it is cancelled.
 *
 * @throws BackfillError when none is under way
 */
export async function changeBackfill(
  client: Client,
  sync: string,
  change: BackfillChange,
  reason: string,
): Promise<void> {
  const handle = client.workflow.getHandle(backfillId(sync));
  try {
    switch (change) {
      case 'pause':
        return await handle.signal('pause', { reason });
      case 'resume':
        return await handle.signal('resume');
      case 'cancel':
        return void (await handle.cancel());
    }
  } catch (error) {
    throw explained(error, sync);
  }
}

/** Waits for the end of a backfill, over all of its histories. */
export const backfillDone = (client: Client, sync: string): Promise<BackfillStatus> =>
  client.workflow.getHandle<typeof backfillSync>(backfillId(sync)).result();

const explained = (error: unknown, sync: string): unknown =>
  error instanceof WorkflowNotFoundError
    ? new BackfillError(
        `No backfill of ${sync} is under way. Start one with: npx durasync backfill ${sync} --from D --to D`,
      )
    : error;
