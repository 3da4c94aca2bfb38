import { setTimeout as sleep } from 'node:timers/promises';
import { SyncFailure } from '../../domain/failures.ts';

/** A longer wait gives its place at the worker to another client. */
const WAIT_HERE_MAX_MS = 30_000;

/**
 * Asks a shop again after the waits it asks for, as long as they are short together. Safe to repeat as `ask` is.
 *
 * @throws SyncFailure SourceThrottled with the wait that is too long for here; what else `ask` throws; the signal's
 *   reason
 */
export async function waitBriefly<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  waitMaxMs = WAIT_HERE_MAX_MS,
): Promise<T> {
  const giveUpAt = performance.now() + waitMaxMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof SyncFailure) || error.code !== 'SourceThrottled') throw error;
      const { retryAfterMs } = error;
      if (retryAfterMs === undefined || performance.now() + retryAfterMs > giveUpAt) throw error;
      await sleep(retryAfterMs, undefined, { signal }).catch((aborted: unknown) => {
        signal.throwIfAborted();
        throw aborted;
      });
    }
  }
}
