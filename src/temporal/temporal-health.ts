import type { Client } from '@temporalio/client';
import { TASK_QUEUE } from '../domain/ids.ts';
import type { TemporalHealth } from '../domain/health.ts';
import { OFF_PREFIX } from './apply-schedules.ts';
import { listSchedules } from './schedules.ts';

const ANSWER_MS = 5_000;
const TASK_QUEUE_TYPE_WORKFLOW = 1;

/** What Temporal says about itself and its workers. */
export function temporalHealth(client: Client, taskQueue = TASK_QUEUE): TemporalHealth {
  const { namespace } = client.options;
  const inTime = <T>(ask: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + ANSWER_MS, ask);
  return {
    answers: async () => {
      await inTime(() => client.workflowService.describeNamespace({ namespace }));
    },
    workers: async () => {
      const { pollers } = await inTime(() =>
        client.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: taskQueue },
          taskQueueType: TASK_QUEUE_TYPE_WORKFLOW,
        }),
      );
      // One worker may ask several times at once.
      return new Set((pollers ?? []).map(({ identity }) => identity)).size;
    },
    pausedSchedules: async () => {
      const schedules = await inTime(() => listSchedules(client));
      const paused = schedules.filter(({ paused: is, note }) => is && !(note ?? '').startsWith(OFF_PREFIX));
      return new Map(paused.map(({ id, note }) => [id, note ?? 'no reason given']));
    },
  };
}
