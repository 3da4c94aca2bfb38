import { ApplicationFailure, type WorkflowFailedError } from '@temporalio/client';

/** Why a workflow failed: the innermost failure's code and its sentence, which never hold a secret. */
export function failureOf(error: WorkflowFailedError): { code: string; message: string } {
  let inner: Error = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  const code = inner instanceof ApplicationFailure ? inner.type : undefined;
  return { code: code ?? 'Unexpected', message: inner.message };
}
