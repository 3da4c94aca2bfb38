import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { DecideHoldInput, Decision, FinishRunInput } from '../src/domain/contracts.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import { quick, quickSummary } from './activities.ts';
import { describeResult } from './describe.ts';
import { failureMessage } from './failure-message.ts';
import { type HeldTable, mergeTable } from './load-table.ts';
import { decideUpdate, supersededSignal } from './messages.ts';
import { runSteps } from './run-steps.ts';

/** How the wait for a decision ended. */
type Outcome =
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'superseded'; readonly by: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'cancelled'; readonly error: unknown };

/**
 * Waits until a person approves or rejects a held run, a later run merges its tables, or the time is up.
 * Approval merges exactly what was shown; if the live table has changed since, it says so and merges nothing.
 * Cancelling counts only while it waits: a decision that was taken is carried out.
 */
export async function decideHold({ plan, held }: DecideHoldInput): Promise<RunResult> {
  const supersededBy = new Map<string, string>();
  let decision: Decision | undefined;
  let waits = true;
  setHandler(
    decideUpdate,
    (made: Decision): void => {
      decision = made;
    },
    {
      validator: (made: Decision): void => {
        if (decision || !waits) {
          throw ApplicationFailure.nonRetryable('This run has already been decided on.', 'Decided');
        }
        refuseUnclear(made);
      },
    },
  );
  setHandler(supersededSignal, ({ table, by }) => {
    if (waits) supersededBy.set(table, by);
  });
  const waiting = () => held.filter(({ table }) => !supersededBy.has(table.table));
  setCurrentDetails(
    held.map(({ review }) => `- ${review.reason}`).join('\n') +
      `\n\nApprove with \`npx durasync runs approve ${plan.runId}\`, or reject it.`,
  );
  upsertSearchAttributes({ SyncName: [plan.sync], SyncTrigger: [plan.trigger], RunStatus: ['held'] });
  const outcome = await waitForOutcome();
  waits = false;
  const result = await CancellationScope.nonCancellable(async () => {
    for (const { table } of held) {
      const by = supersededBy.get(table.table);
      if (by) await closeTable(plan, table, 'skipped', `superseded by ${by}`);
    }
    return outcome.kind === 'decided' && outcome.decision.decision === 'approve'
      ? approve(plan, waiting(), outcome)
      : reject(plan, waiting(), outcome);
  });
  upsertSearchAttributes({ RunStatus: [result.status] });
  setCurrentDetails(describeResult(result));
  if (outcome.kind === 'cancelled') throw outcome.error;
  return result;

  async function waitForOutcome(): Promise<Outcome> {
    try {
      await condition(() => waiting().length === 0 || decision !== undefined, plan.holdMs);
    } catch (error) {
      if (isCancellation(error)) return { kind: 'cancelled', error };
      throw error;
    }
    if (waiting().length === 0) {
      return { kind: 'superseded', by: [...new Set(supersededBy.values())].join(', ') };
    }
    return decision ? { kind: 'decided', decision } : { kind: 'expired' };
  }
}

/** What comes from the plain Temporal CLI is not typed: an unclear word must not end a hold. */
function refuseUnclear(made: Partial<Decision> | undefined): void {
  if (
    (made?.decision === 'approve' || made?.decision === 'reject') &&
    typeof made.by === 'string' &&
    made.by.trim()
  ) {
    return;
  }
  throw ApplicationFailure.nonRetryable(
    'A decision is {"decision": "approve" or "reject", "by": who decides, "reason": optional}.',
    'InvalidInput',
  );
}

function whyNotMerged(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'decided': {
      const { by, reason } = outcome.decision;
      return `rejected by ${by}${reason ? `: ${reason}` : ''}`;
    }
    case 'superseded':
      return `superseded by ${outcome.by}`;
    case 'expired':
      return 'expired: nobody decided in time';
    case 'cancelled':
      return 'The hold was cancelled.';
  }
}

/** The end of a hold as the audit log shows it, also when it came from the plain Temporal CLI or from nobody. */
function recorded(outcome: Outcome): FinishRunInput['decision'] {
  switch (outcome.kind) {
    case 'decided': {
      const { decision, by, reason } = outcome.decision;
      return { action: decision, by, reason };
    }
    case 'superseded':
      return { action: 'supersede', by: `run ${outcome.by}` };
    case 'expired':
      return { action: 'expire', by: 'durasync' };
    case 'cancelled':
      return { action: 'cancel hold', by: 'temporal' };
  }
}

async function reject(
  plan: DecideHoldInput['plan'],
  held: DecideHoldInput['held'],
  outcome: Outcome,
): Promise<RunResult> {
  const message = whyNotMerged(outcome);
  const status = outcome.kind === 'cancelled' ? 'cancelled' : 'rejected';
  for (const { table } of held) await closeTable(plan, table, 'skipped', message);
  return quick.finishRun.executeWithOptions(quickSummary(message), [
    { runId: plan.runId, status, message, decision: recorded(outcome) },
  ]);
}

async function approve(
  plan: DecideHoldInput['plan'],
  held: readonly HeldTable[],
  outcome: Outcome,
): Promise<RunResult> {
  const stale: string[] = [];
  for (const each of held) {
    const { table } = each;
    try {
      if (await mergeTable(plan, each)) continue;
      stale.push(table.table);
      await closeTable(plan, table, 'skipped', 'stale: the table has changed since it was shown');
    } catch (error) {
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
    { runId: plan.runId, ...rejected, ...steps, decision: recorded(outcome) },
  ]);
}

function closeTable(
  { runId, sync, scope }: DecideHoldInput['plan'],
  table: HeldTable['table'],
  status: 'skipped' | 'failed',
  message: string,
): Promise<void> {
  return quick.closeTable.executeWithOptions(quickSummary(`${table.table}: ${status}`), [
    { runId, sync, scope, table, status, message },
  ]);
}
