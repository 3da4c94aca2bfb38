import { setTimeout as sleep } from 'node:timers/promises';
import { FAILURES, SyncFailure } from '../../domain/failures.ts';

/** How often a call is made before it counts as failed. */
const TRIES_MAX = 3;

/** A source that asks for a longer wait than this is left for the next run. */
const WAIT_MAX_MS = 20_000;

/**
 * Calls up to three times, each wait twice as long as the one before or as long as the source asks for. What can't
 * pass by itself is not tried again.
 *
 * @throws what the last try threw, or the signal's reason
 */
export async function tryAgain<T>(
  call: () => Promise<T>,
  { firstWaitMs, signal }: { readonly firstWaitMs: number; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      const waitMs = waitBefore(error, firstWaitMs * 2 ** (attempt - 1));
      if (attempt >= TRIES_MAX || waitMs === null) throw error;
      await sleep(waitMs, undefined, { signal });
    }
  }
}

function waitBefore(error: unknown, usualMs: number): number | null {
  if (!(error instanceof SyncFailure) || FAILURES[error.code] === 'never') return null;
  const waitMs = Math.max(usualMs, error.retryAfterMs ?? 0);
  return waitMs > WAIT_MAX_MS ? null : waitMs;
}
