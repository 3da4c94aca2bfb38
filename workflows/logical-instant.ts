import { workflowInfo } from '@temporalio/workflow';

/** The time a scheduled run was meant for, however late it starts (ISO); else its start. */
export function logicalInstant(): string {
  const { searchAttributes, startTime } = workflowInfo();
  const scheduled = searchAttributes['TemporalScheduledStartTime']?.[0];
  return scheduled === undefined ? startTime.toISOString() : new Date(String(scheduled)).toISOString();
}
