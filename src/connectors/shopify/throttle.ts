import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';

/** What an answer says about its cost and the bucket of this app in this shop. */
export const queryCost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});
export type QueryCost = z.infer<typeof queryCost>;

/** A wait up to this long is not worth giving up a page for. */
export const SHORT_WAIT_MAX_MS = 2_000;
export const THROTTLED_WAIT_MIN_MS = 1_000;

export interface Throttle {
  /**
   * Waits until the bucket holds what this query cost the last time.
   *
   * @param waitMaxMs a longer wait is not begun
   * @throws SyncFailure SourceThrottled with the whole wait; or the signal's reason
   */
  waitFor(query: string, waitMaxMs: number, signal: AbortSignal): Promise<void>;
  /** Remembers the cost and the bucket that an answer tells. */
  learn(query: string, cost: QueryCost): void;
}

/** Knows nothing before the first answer, and then never asks for more than the shop is ready to give. */
export function createThrottle(source: string): Throttle {
  const requestedByQuery = new Map<string, number>();
  let bucket: (QueryCost['throttleStatus'] & { readonly atMs: number }) | null = null;

  return {
    async waitFor(query, waitMaxMs, signal) {
      if (bucket === null) return;
      const { maximumAvailable, currentlyAvailable, restoreRate, atMs } = bucket;
      const restored = ((performance.now() - atMs) / 1000) * restoreRate;
      const needed = Math.min(requestedByQuery.get(query) ?? 0, maximumAvailable);
      const waitMs = Math.ceil(((needed - currentlyAvailable - restored) / restoreRate) * 1000);
      if (waitMs <= 0) return;
      if (waitMs > waitMaxMs) throw throttled(source, waitMs);
      await sleep(waitMs, undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    },

    learn(query, cost) {
      requestedByQuery.set(query, cost.requestedQueryCost);
      bucket = { ...cost.throttleStatus, atMs: performance.now() };
    },
  };
}

/** How long the bucket takes to hold a query that was refused, at least a second. */
export function refillMs({ requestedQueryCost, throttleStatus }: QueryCost): number {
  const missing = requestedQueryCost - throttleStatus.currentlyAvailable;
  return Math.max(THROTTLED_WAIT_MIN_MS, Math.ceil((missing / throttleStatus.restoreRate) * 1000));
}

/** @param retryAfterMs undefined when the shop does not say how long to wait */
export function throttled(source: string, retryAfterMs: number | undefined): SyncFailure {
  return new SyncFailure(
    'SourceThrottled',
    `${source}: the shop's rate limit is used up. It is asked again later.`,
    {
      retryAfterMs,
    },
  );
}
