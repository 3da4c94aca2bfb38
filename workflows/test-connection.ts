import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { FinishRunInput } from '../src/domain/contracts.ts';
import type { RunPlan } from '../src/domain/run-plan.ts';
import { probes, probeSummary } from './activities.ts';
import { failureMessage } from './failure-message.ts';

/**
 * Asks the source whether it lets us in, where the plan begins with that: one that does not costs one question and
 * not one for each table.
 *
 * @returns how the run ends when it is not let in, else null
 */
export async function testConnection({
  begins,
  sync,
  scope,
  sourceQueue,
}: RunPlan): Promise<Omit<FinishRunInput, 'runId'> | null> {
  if (begins !== 'with_connection_test') return null;
  const options = { ...probeSummary(`${sync}: connection test`), taskQueue: sourceQueue ?? undefined };
  try {
    await probes.testConnection.executeWithOptions(options, [{ sync, scope }]);
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { status: 'failed', message: failureMessage(error), failureCode: codeOf(error) };
  }
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? (cause.type ?? undefined) : undefined;
}
