import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { deliverNotifications } from '../../workflows/deliver-notifications.ts';
import { NOTIFICATIONS_ID, TASK_QUEUE } from '../domain/ids.ts';

interface WakerParts {
  readonly client: Client;
  readonly log: Pick<Logger, 'warn'>;
  readonly taskQueue?: string;
}

const ANSWER_MS = 5_000;

/**
 * Makes the function that has new notifications sent: it wakes the workflow that sends them, or starts it. It never
 * throws, since a notification must not fail what it tells of; the hourly sweep sends what was left.
 */
export function createWaker({ client, log, taskQueue = TASK_QUEUE }: WakerParts): () => Promise<void> {
  return async () => {
    try {
      await client.withDeadline(Date.now() + ANSWER_MS, () =>
        client.workflow.signalWithStart<typeof deliverNotifications>('deliverNotifications', {
          taskQueue,
          workflowId: NOTIFICATIONS_ID,
          signal: 'wake',
          args: [],
          staticSummary: 'Sends notifications until none is left',
        }),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason }, 'notifications are sent later: Temporal did not answer');
    }
  };
}
