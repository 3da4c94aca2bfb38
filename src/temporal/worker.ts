import { getHeapStatistics } from 'node:v8';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import {
  DefaultLogger,
  type NativeConnection,
  Runtime,
  Worker,
  type WorkerDeploymentOptions,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import type { SourceAgent } from '../connectors/http/create-agent.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { createActivities } from '../../activities/index.ts';
import { TASK_QUEUE } from '../domain/ids.ts';
import type { DatabaseConnection } from '../db/connect.ts';
import type { KeyRing } from '../key-ring.ts';
import { type Environment, readSettings } from '../settings.ts';
import { channelsOf } from '../notify/channels.ts';
import { clientWorkflows } from './clients.ts';
import { temporalHealth } from './temporal-health.ts';
import { createWaker } from './wake-notifications.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { DEPLOYMENT_NAME } from './versions.ts';

export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly client: Client;
  /** The same as the client's, as the bundle must be made for it, too. */
  readonly dataConverter?: DataConverter;
  readonly database: DatabaseConnection;
  readonly http: SourceAgent;
  readonly keys: KeyRing;
  readonly syncs: readonly SyncDefinition[];
  /** The variables that the syncs read their settings from. */
  readonly env: Environment;
  readonly log: Logger;
  /** Told of every attempt of a step that failed. */
  readonly countFailure?: ActivityDependencies['countFailure'];
  /** From `ensureWorkflowBundle`. */
  readonly bundlePath: string;
  readonly taskQueue?: string;
  /** The version of this worker's code; undefined when the server need not know of versions. */
  readonly buildId?: string;
}

const ACTIVITIES_AT_ONCE = 40;
/** In MB of heap: what is left for everything else, and what one workflow counts for. The SDK counts 1.7; 1,000 clients took 0.25 each. */
const HEAP_BESIDES = 180;
const HEAP_OF_WORKFLOW = 0.25;
const CACHED_MAX = 2_000;
/** How long running activities may go on after the worker was asked to stop; then another worker has them. */
const GRACE = '5 s';

/**
 * Sends Temporal's own log lines through ours. Once for each process, before the first worker.
 *
 * @param metricsAddress where the SDK serves metrics of its own, in Prometheus's format
 */
export function installRuntime(log: Logger, metricsAddress?: string): void {
  Runtime.install({
    telemetryOptions: metricsAddress
      ? { metrics: { prometheus: { bindAddress: metricsAddress } } }
      : undefined,
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

/** Workers of one process: one for all workflows and common steps, and one for each queue of slow sources. */
export async function createWorkers(parts: WorkerParts): Promise<Worker[]> {
  const { syncs, env } = parts;
  const queues = syncs.flatMap(({ sourceQueue, settings }) =>
    sourceQueue
      ? [{ name: sourceQueue.name, atOnce: sourceQueue.concurrency(readSettings(settings, env)) }]
      : [],
  );
  return Promise.all([createWorker(parts), ...queues.map((queue) => createSourceWorker(parts, queue))]);
}

/** A worker for all workflows and activities of the common task queue. */
export function createWorker(parts: WorkerParts): Promise<Worker> {
  return Worker.create({
    ...commonOptions(parts),
    taskQueue: parts.taskQueue ?? TASK_QUEUE,
    workflowBundle: { codePath: parts.bundlePath },
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    maxCachedWorkflows: cachedWorkflows(),
  });
}

/** How many workflows stay in memory. One that does not is read and replayed again whenever something happens to it. */
function cachedWorkflows(): number {
  const heapMb = getHeapStatistics().heap_size_limit / 2 ** 20;
  return Math.min(CACHED_MAX, Math.max(100, Math.floor((heapMb - HEAP_BESIDES) / HEAP_OF_WORKFLOW)));
}

/** A worker for steps that read slow sources, so many at once. */
function createSourceWorker(parts: WorkerParts, queue: { name: string; atOnce: number }): Promise<Worker> {
  return Worker.create({
    ...commonOptions(parts),
    taskQueue: queue.name,
    maxConcurrentActivityTaskExecutions: queue.atOnce,
  });
}

function commonOptions({
  connection,
  client,
  dataConverter,
  database,
  http,
  keys,
  syncs,
  env,
  log,
  countFailure,
  taskQueue,
  buildId,
}: WorkerParts) {
  const channels = channelsOf(env, http);
  return {
    connection,
    dataConverter,
    workerDeploymentOptions: buildId === undefined ? undefined : deploymentOptions(buildId),
    namespace: client.options.namespace,
    activities: createActivities({
      database,
      http,
      keys,
      syncs,
      env,
      log,
      isOpen: (...run) => isOpen(client, ...run),
      clients: clientWorkflows(client, taskQueue),
      channels,
      countFailure,
      temporalHealth: temporalHealth(client, taskQueue),
      wakeNotifications:
        channels.length > 0 ? createWaker({ client, log, taskQueue }) : async () => undefined,
    }),
    shutdownGraceTime: GRACE,
    maxHeartbeatThrottleInterval: '1 s',
  } as const;
}

/** A workflow moves on to new versions, unless it says itself that it stays with the one it began on. */
const deploymentOptions = (buildId: string): WorkerDeploymentOptions => ({
  version: { deploymentName: DEPLOYMENT_NAME, buildId },
  useWorkerVersioning: true,
  defaultVersioningBehavior: 'AUTO_UPGRADE',
});

async function isOpen(client: Client, workflowId: string, runId?: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
