import { isCancellation } from '@temporalio/workflow';
import type { StepInput } from '../src/domain/contracts.ts';
import type { RunPlan, StepPlan } from '../src/domain/run-plan.ts';
import type { StepResult } from '../src/domain/run-result.ts';
import { heavy, heavySummary } from './activities.ts';
import { allEnded } from './all-ended.ts';
import { failureMessage } from './failure-message.ts';

/** Runs every enrich step as soon as its tables have ended, then every derive step. A failed step is reported. */
export async function runSteps(
  plan: RunPlan,
  ended: (tables: readonly string[]) => Promise<unknown>,
): Promise<{ enrich: StepResult[]; derive: StepResult[] }> {
  const after = async (step: StepPlan, activity: typeof heavy.enrichTable): Promise<StepResult> => {
    await ended(step.after);
    return runStep(plan, step, activity);
  };
  const [enrich, derive] = await allEnded([
    allEnded(plan.enrich.map((step) => after(step, heavy.enrichTable))),
    allEnded(plan.derive.map((step) => after(step, heavy.deriveTable))),
  ]);
  return { enrich, derive };
}

async function runStep(
  { runId, sync, logicalAt, timeZone }: RunPlan,
  step: StepPlan,
  activity: typeof heavy.enrichTable,
): Promise<StepResult> {
  const input: StepInput = { runId, sync, step, logicalAt, timeZone };
  try {
    return await activity.executeWithOptions(heavySummary(step.step), [input]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { step: step.step, success: false, summary: failureMessage(error), counts: {} };
  }
}
