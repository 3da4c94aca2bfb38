import {
  ApplicationFailure,
  CancellationScope,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FinishRunInput } from '../src/domain/contracts.ts';
import type { RunId } from '../src/domain/ids.ts';
import type { RunPlan } from '../src/domain/run-plan.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import type { UndoRunInput } from '../src/domain/undo.ts';
import { quick, quickSummary, undoes } from './activities.ts';
import { describeResult } from './describe.ts';
import { failureMessage } from './failure-message.ts';
import { pinToVersion } from './pinned.ts';
import { runSteps } from './run-steps.ts';

/**
 * Takes back what one run wrote, then derives again. A run of its own, with a row and a result; it fails when rows
 * were changed since. Cancelling it has no effect: it is short, and half an undo helps nobody.
 */
export async function undoRun(input: UndoRunInput): Promise<RunResult> {
  if (typeof input?.of !== 'string') {
    throw ApplicationFailure.nonRetryable(
      'The input of undoRun is an object such as {"of":"RUN_ID"}.',
      'InvalidInput',
    );
  }
  return CancellationScope.nonCancellable(() => undo(input));
}

pinToVersion(undoRun);

async function undo(input: UndoRunInput): Promise<RunResult> {
  const { firstExecutionRunId, workflowId, startTime } = workflowInfo();
  const runId = firstExecutionRunId as RunId;
  const plan = await quick.planUndo.executeWithOptions(quickSummary(`plan to undo ${input.of}`), [
    { ...input, runId, workflowId, logicalAt: startTime.toISOString() },
  ]);
  upsertSearchAttributes({ SyncName: [plan.sync], SyncTrigger: [plan.trigger], RunStatus: ['running'] });
  const result = await carryOut(plan, input);
  upsertSearchAttributes({ RunStatus: [result.status] });
  setCurrentDetails(describeResult(result));
  return result;
}

async function carryOut(plan: RunPlan, { of, triggeredBy, reason }: UndoRunInput): Promise<RunResult> {
  try {
    const took = await undoes.takeBack({
      runId: plan.runId,
      of: of as RunId,
      by: triggeredBy ?? 'temporal',
      reason,
    });
    if (took.outcome === 'refused') return await finish(plan, { status: 'failed', message: took.reason });
    const { derive } = await runSteps(plan, async () => undefined);
    return await finish(plan, { derive });
  } catch (error) {
    await finish(plan, { status: 'failed', message: failureMessage(error) });
    throw error;
  }
}

function finish(plan: RunPlan, end: Omit<FinishRunInput, 'runId'>): Promise<RunResult> {
  return quick.finishRun.executeWithOptions(quickSummary('finish the undo'), [{ runId: plan.runId, ...end }]);
}
