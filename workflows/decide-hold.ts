import {
  ApplicationFailure,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { DecideHoldInput, Decision } from '../src/domain/contracts.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import { quick, quickSummary } from './activities.ts';
import { describeResult } from './describe.ts';
import { failureMessage } from './failure-message.ts';
import { type HeldTable, mergeTable } from './load-table.ts';
import { decideUpdate, supersededSignal } from './messages.ts';
import { runSteps } from './run-steps.ts';

/**
 * Waits until a person approves or rejects a held run, a later run merges its tables, or the time is up.
 * Approval merges exactly what was shown; if the live table has changed since, it says so and merges nothing.
 */
export async function decideHold({ plan, held }: DecideHoldInput): Promise<RunResult> {
  const waiting = new Map(held.map((each) => [each.table.table, each]));
  let decision: Decision | undefined;
  let supersededBy: string | undefined;
  setHandler(
    decideUpdate,
    (made: Decision): void => {
      decision = made;
    },
    {
      validator: (_made: Decision): void => {
        if (decision)
          throw ApplicationFailure.nonRetryable('This run has already been decided on.', 'Decided');
      },
    },
  );
  setHandler(supersededSignal, ({ table, by }) => {
    waiting.delete(table);
    if (waiting.size === 0) supersededBy = by;
  });
  setCurrentDetails(
    held.map(({ review }) => `- ${review.reason}`).join('\n') +
      `\n\nApprove with \`npx durasync runs approve ${plan.runId}\`, or reject it.`,
  );
  upsertSearchAttributes({ SyncName: [plan.sync], SyncTrigger: [plan.trigger], RunStatus: ['held'] });
  await condition(() => decision !== undefined || supersededBy !== undefined, plan.holdMs);
  const result =
    decision?.decision === 'approve' && waiting.size > 0
      ? await approve(plan, [...waiting.values()])
      : await reject(plan, held, whyRejected(decision, supersededBy));
  upsertSearchAttributes({ RunStatus: [result.status] });
  setCurrentDetails(describeResult(result));
  return result;
}

function whyRejected(decision: Decision | undefined, supersededBy: string | undefined): string {
  if (supersededBy) return `superseded by ${supersededBy}`;
  if (!decision) return 'expired: nobody decided in time';
  return `rejected by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}`;
}

async function reject(
  plan: DecideHoldInput['plan'],
  held: DecideHoldInput['held'],
  message: string,
): Promise<RunResult> {
  for (const { table } of held) await closeTable(plan, table, 'skipped', message);
  return quick.finishRun.executeWithOptions(quickSummary(message), [
    { runId: plan.runId, status: 'rejected', message },
  ]);
}

async function approve(plan: DecideHoldInput['plan'], held: readonly HeldTable[]): Promise<RunResult> {
  const stale: string[] = [];
  for (const each of held) {
    const { table } = each;
    try {
      const outcome = await mergeTable(plan.runId, plan.sync, each);
      if (outcome) {
        await closeTable(plan, table, 'completed', null);
      } else {
        stale.push(table.table);
        await closeTable(plan, table, 'skipped', 'stale: the table has changed since it was shown');
      }
    } catch (error) {
      if (isCancellation(error)) throw error;
      await closeTable(plan, table, 'failed', failureMessage(error));
    }
  }
  const steps = await runSteps(plan, async () => undefined);
  const rejected =
    stale.length === held.length
      ? {
          status: 'rejected' as const,
          message: `stale: ${stale.join(', ')} changed since this was shown. Start a new run.`,
        }
      : {};
  return quick.finishRun.executeWithOptions(quickSummary('finish the approved run'), [
    { runId: plan.runId, ...rejected, ...steps },
  ]);
}

function closeTable(
  { runId, sync }: DecideHoldInput['plan'],
  table: HeldTable['table'],
  status: 'completed' | 'skipped' | 'failed',
  message: string | null,
): Promise<void> {
  return quick.closeTable.executeWithOptions(quickSummary(`${table.table}: ${status}`), [
    { runId, sync, table, status, message },
  ]);
}
