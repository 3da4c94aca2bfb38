import { expect, test } from 'vitest';
import { SyncFailure } from '../../domain/failures.ts';
import { waitBriefly } from './wait-briefly.ts';

const never = new AbortController().signal;
const throttled = (retryAfterMs?: number) =>
  new SyncFailure('SourceThrottled', 'slow down', { retryAfterMs });

/** Throws these one after the other, then answers how often it was asked. */
function shop(...failures: Error[]) {
  let asked = 0;
  return async (): Promise<number> => {
    asked += 1;
    const failure = failures.shift();
    if (failure) throw failure;
    return asked;
  };
}

test('short waits are waited for, more of them than a step has attempts', async () => {
  const startedAt = performance.now();
  const waits = Array.from({ length: 8 }, () => throttled(20));
  expect(await waitBriefly(shop(...waits), never)).toBe(9);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(155);
});

test('a wait that is too long, or that leads beyond what is left, is given back', async () => {
  const long = throttled(31_000);
  await expect(waitBriefly(shop(long), never)).rejects.toBe(long);
  const late = throttled(150);
  const startedAt = performance.now();
  await expect(waitBriefly(shop(throttled(100), late), never, 200)).rejects.toBe(late);
  expect(performance.now() - startedAt).toBeLessThan(200);
});

test.each([
  ['a throttling without a wait', throttled()],
  ['another failure', new SyncFailure('SourceUnavailable', 'down', { retryAfterMs: 10 })],
])('%s is given back at once', async (_what, failure) => {
  await expect(waitBriefly(shop(failure), never)).rejects.toBe(failure);
});

test('an abort ends a wait at once with its reason', async () => {
  const reason = new Error('cancelled by the run');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  const startedAt = performance.now();
  await expect(waitBriefly(shop(throttled(5_000)), controller.signal)).rejects.toBe(reason);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
