import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { DefaultLogger, type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Agent } from 'undici';
import { createActivities } from '../../activities/index.ts';
import { TASK_QUEUE } from '../domain/ids.ts';
import type { DatabaseConnection } from '../db/connect.ts';
import type { Environment } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';

export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly database: DatabaseConnection;
  readonly http: Agent;
  readonly syncs: readonly SyncDefinition[];
  /** The variables that the syncs read their settings from. */
  readonly env: Environment;
  readonly log: Logger;
  /** From `ensureWorkflowBundle`. */
  readonly bundlePath: string;
  readonly taskQueue?: string;
}

const ACTIVITIES_AT_ONCE = 40;
/** How long running activities may go on after the worker was asked to stop; then another worker has them. */
const GRACE = '5 s';

/** Sends Temporal's own log lines through ours. Once for each process, before the first worker. */
export function installRuntime(log: Logger): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const fields = loggedFields(meta ?? {});
      if (level === 'WARN') log.warn(fields, message);
      else log.error(fields, message);
    }),
    shutdownSignals: [],
  });
}

/** What tells one line of the SDK from another; its stack traces and task tokens help nobody. */
function loggedFields(meta: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { workflowId, runId, workflowRunId, activityType, attempt, error } = meta;
  const reason = error instanceof Error ? error.message : error;
  return { workflowId, runId: runId ?? workflowRunId, activityType, attempt, reason };
}

/** A worker for all workflows and activities of the task queue. */
export function createWorker(parts: WorkerParts): Promise<Worker> {
  const { connection, client, database, http, syncs, env, log, bundlePath } = parts;
  return Worker.create({
    connection,
    namespace: client.options.namespace,
    taskQueue: parts.taskQueue ?? TASK_QUEUE,
    workflowBundle: { codePath: bundlePath },
    activities: createActivities({
      database,
      http,
      syncs,
      env,
      log,
      isOpen: (...run) => isOpen(client, ...run),
    }),
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    shutdownGraceTime: GRACE,
    maxHeartbeatThrottleInterval: '1 s',
  });
}

async function isOpen(client: Client, workflowId: string, runId?: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
