import { asyncLocalStorage } from '@temporalio/activity';
import { clientIdOf } from '../domain/clients.ts';
import { isRunId } from '../domain/ids.ts';

const CLIENT = 'client/';
const HOLD = 'hold/';

/** Which step, run and client writes a line of the log; nothing outside steps. */
export function stepFields(): Readonly<Record<string, unknown>> {
  const info = asyncLocalStorage.getStore()?.info;
  if (!info?.workflowExecution) return {};
  const { activityType, attempt, workflowType } = info;
  const { workflowId, runId: executionId } = info.workflowExecution;
  const held = workflowId.startsWith(HOLD) ? workflowId.slice(HOLD.length) : '';
  const runId = isRunId(held) ? held : workflowType === 'runSync' ? executionId : undefined;
  const clientId = workflowId.startsWith(CLIENT)
    ? clientIdOf(workflowId.split('/').slice(0, 2).join('/'))
    : undefined;
  return { workflowId, runId, clientId, activityType, attempt };
}
