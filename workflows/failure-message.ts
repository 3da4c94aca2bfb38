import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';

/** What a failed step says to people: the activity's own sentence, without Temporal's wrapping. */
export function failureMessage(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return cause.message;
  if (cause instanceof TimeoutFailure) {
    return 'The step did not end in time, or its worker died too often. See the run in the Temporal Web UI.';
  }
  return cause instanceof Error ? cause.message : String(cause);
}
