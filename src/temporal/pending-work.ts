import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { RunId } from '../domain/ids.ts';

/**
 * What the open steps of a run say of themselves: how far they are, and why a step is tried again. One line for
 * each; none when the run has ended or Temporal does not answer.
 */
export async function readPendingWork(client: Client, workflowId: string, runId: RunId): Promise<string[]> {
  const description = await client.workflow
    .getHandle(workflowId, runId)
    .describe()
    .catch(() => null);
  const pending = description?.raw.pendingActivities ?? [];
  return pending.flatMap(({ attempt, lastFailure, heartbeatDetails }) => {
    if (attempt && attempt > 1 && lastFailure) return [`attempt ${attempt}: ${lastFailure.message}`];
    const [detail] = heartbeatDetails?.payloads ?? [];
    const text = detail?.data?.length ? defaultPayloadConverter.fromPayload<unknown>(detail) : null;
    return typeof text === 'string' ? [text] : [];
  });
}
