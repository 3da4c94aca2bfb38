import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
} from '@temporalio/client';
import pLimit from 'p-limit';
import type { syncClient } from '../../workflows/sync-client.ts';
import {
  type ClientStatus,
  clientIdOf,
  clientWorkflowId,
  type ClientWorkflows,
  type ForceRequest,
  type RequestAnswer,
  type SyncClientInput,
} from '../domain/clients.ts';
import { TASK_QUEUE } from '../domain/ids.ts';

const RUNNING = `WorkflowType = 'syncClient' AND ExecutionStatus = 'Running'`;
const LIST_PAGE = 1_000;
const AT_ONCE = 30;
/** How long an update that the server gives up is sent again, and how long between two of them at most. */
const UPDATE_PATIENCE_MS = 20_000;
const UPDATE_WAIT_MAX_MS = 1_000;
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
  const startOptions = (clientId: string) => ({
    taskQueue,
    workflowId: clientWorkflowId(clientId),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    args: [{ clientId }] as [SyncClientInput],
    staticSummary: `client ${clientId}`,
  });
  return {
    async running(clientIds) {
      const found = new Set<string>();
      await each(clientIds, async (clientId) => {
        const description = await unlessMissing(handleOf(clientId).describe());
        if (description?.status.name === 'RUNNING') found.add(clientId);
      });
      return found;
    },
    async listRunning() {
      const found = new Set<string>();
      for await (const { workflowId } of client.workflow.list({ query: RUNNING, pageSize: LIST_PAGE })) {
        found.add(clientIdOf(workflowId));
      }
      return found;
    },
    start: (clientIds) =>
      each(clientIds, (clientId) =>
        client.workflow.start<typeof syncClient>('syncClient', startOptions(clientId)),
      ),
    reload: (clientIds) => each(clientIds, (clientId) => unlessMissing(handleOf(clientId).signal('reload'))),
    requestSync: (clientId, request) =>
      unlessGivenUp(() =>
        client.workflow.executeUpdateWithStart<typeof syncClient, RequestAnswer, [ForceRequest]>(
          'requestSync',
          {
            args: [request],
            startWorkflowOperation: new WithStartWorkflowOperation<typeof syncClient>(
              'syncClient',
              startOptions(clientId),
            ),
          },
        ),
      ),
    status: (clientId) => unlessMissing(handleOf(clientId).query<ClientStatus>('status')),
  };
}

/** The server gives an update up when the workflow's task fails, as it does when a signal comes while it continues as new. */
async function unlessGivenUp<T>(update: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + UPDATE_PATIENCE_MS;
  for (let waitMs = 20; ; waitMs = Math.min(2 * waitMs, UPDATE_WAIT_MAX_MS)) {
    try {
      return await update();
    } catch (error) {
      if (Date.now() > giveUpAt || !wasGivenUp(error)) throw error;
    }
    await sleep(waitMs);
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
