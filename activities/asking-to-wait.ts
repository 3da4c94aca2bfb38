import { ApplicationFailure } from '@temporalio/common';
import type { AskedWait } from '../src/domain/contracts.ts';
import { SyncFailure } from '../src/domain/failures.ts';

/**
 * Lets a source that asks for a wait have it without using up an attempt of the step: the failure is final for
 * Temporal, and the workflow starts the step again after the wait.
 *
 * @param pages how many pages are staged by now
 * @throws ApplicationFailure SourceThrottled with an AskedWait; whatever else `work` throws
 */
export async function askingToWait<T>(work: () => Promise<T>, pages: () => Promise<number>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SyncFailure) || error.code !== 'SourceThrottled') throw error;
    // Without a wait that the source asks for, waiting longer each time is all that is left.
    if (error.retryAfterMs === undefined) throw error;
    const asked: AskedWait = { waitMs: error.retryAfterMs, pages: await pages() };
    throw ApplicationFailure.nonRetryable(error.message, error.code, asked);
  }
}
