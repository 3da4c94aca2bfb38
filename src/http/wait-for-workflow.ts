import { type Client, isGrpcServiceError, WorkflowFailedError } from '@temporalio/client';

export interface WaitOptions {
  readonly client: Client;
  readonly result: () => Promise<unknown>;
  /** Aborts when who waits has gone. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export type Waited =
  | { readonly outcome: 'ended' }
  | { readonly outcome: 'failed'; readonly error: WorkflowFailedError }
  | { readonly outcome: 'still-running' };

const GRPC_CANCELLED = 1;
const GRPC_DEADLINE_EXCEEDED = 4;

/** Waits until a workflow has ended, well or not, or the time is up. */
export async function waitForWorkflow({ client, result, signal, timeoutMs }: WaitOptions): Promise<Waited> {
  try {
    await client.withDeadline(Date.now() + timeoutMs, () => client.withAbortSignal(signal, result));
    return { outcome: 'ended' };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { outcome: 'failed', error };
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (isGrpcServiceError(cause) && [GRPC_CANCELLED, GRPC_DEADLINE_EXCEEDED].includes(cause.code)) {
      return { outcome: 'still-running' };
    }
    throw error;
  }
}
