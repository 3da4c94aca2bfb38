import {
  type Client,
  isGrpcServiceError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import pLimit from 'p-limit';
import type { syncClient } from '../../workflows/sync-client.ts';
import {
  type ClientStatus,
  clientWorkflowId,
  type ClientWorkflows,
  type ForceRequest,
  type RequestAnswer,
} from '../domain/clients.ts';
import { TASK_QUEUE } from '../domain/ids.ts';

const AT_ONCE = 30;
const UPDATE_ATTEMPTS_MAX = 10;
const GRPC_FAILED_PRECONDITION = 9;

export function clientWorkflows(client: Client, taskQueue = TASK_QUEUE): ClientWorkflows {
  const limit = pLimit(AT_ONCE);
  const each = async (
    ids: readonly string[],
    work: (clientId: string) => Promise<unknown>,
  ): Promise<void> => {
    await Promise.all(ids.map((id) => limit(() => work(id))));
  };
  const handleOf = (clientId: string) =>
    client.workflow.getHandle<typeof syncClient>(clientWorkflowId(clientId));
  return {
    async running(clientIds) {
      const found = new Set<string>();
      await each(clientIds, async (clientId) => {
        const description = await unlessMissing(handleOf(clientId).describe());
        if (description?.status.name === 'RUNNING') found.add(clientId);
      });
      return found;
    },
    start: (clientIds) =>
      each(clientIds, (clientId) =>
        client.workflow.start<typeof syncClient>('syncClient', {
          taskQueue,
          workflowId: clientWorkflowId(clientId),
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [{ clientId }],
          staticSummary: `client ${clientId}`,
        }),
      ),
    reload: (clientIds) => each(clientIds, (clientId) => unlessMissing(handleOf(clientId).signal('reload'))),
    requestSync: (clientId, request) => requestSync(handleOf(clientId), request),
    status: (clientId) => unlessMissing(handleOf(clientId).query<ClientStatus>('status')),
  };
}

/** The server gives an update up when the workflow's task fails, as it does when a signal comes while it continues as new. */
async function requestSync(
  handle: WorkflowHandle<typeof syncClient>,
  request: ForceRequest,
): Promise<RequestAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await handle.executeUpdate<RequestAnswer, [ForceRequest]>('requestSync', { args: [request] });
    } catch (error) {
      if (attempt === UPDATE_ATTEMPTS_MAX || !wasGivenUp(error)) throw error;
    }
  }
}

const wasGivenUp = (error: unknown): boolean =>
  isGrpcServiceError(error) && error.code === GRPC_FAILED_PRECONDITION;

async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
