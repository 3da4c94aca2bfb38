import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
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
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  const valueOf = async (payload: Payload): Promise<unknown> => {
    let opened = [payload];
    for (const codec of payloadCodecs) opened = await codec.decode(opened);
    return opened[0] && payloadConverter.fromPayload<unknown>(opened[0]);
  };
  const lines = (description?.raw.pendingActivities ?? []).map(
    async ({ attempt, lastFailure, heartbeatDetails }): Promise<string[]> => {
      if (attempt && attempt > 1 && lastFailure) {
        const sealed = lastFailure.encodedAttributes && (await valueOf(lastFailure.encodedAttributes));
        const message = (sealed as { message?: string } | undefined)?.message ?? lastFailure.message;
        return [`attempt ${attempt}: ${message}`];
      }
      const [detail] = heartbeatDetails?.payloads ?? [];
      const text = detail?.data?.length ? await valueOf(detail) : null;
      return typeof text === 'string' ? [text] : [];
    },
  );
  return (await Promise.all(lines)).flat();
}
