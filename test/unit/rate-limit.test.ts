import { expect, test } from 'vitest';
import { ProblemError } from '../../src/http/problems.ts';
import { createCallLimit } from '../../src/http/rate-limit.ts';

function limited(take: (caller: string) => void, caller: string): ProblemError | undefined {
  try {
    take(caller);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
}

test('a caller may do a burst, then waits for its turn, and disturbs no other caller', () => {
  let now = 0;
  const take = createCallLimit({ of: 'logins', burst: 3, perSecond: 0.1 }, () => now);
  for (let call = 0; call < 3; call += 1) expect(limited(take, 'ann')).toBeUndefined();
  const refused = limited(take, 'ann');
  expect(refused?.code).toBe('rate-limited');
  expect(refused?.message).toBe('Too many logins. Try again in 10 s.');
  expect(refused?.headers).toEqual({ 'Retry-After': '10' });
  expect(limited(take, 'bob')).toBeUndefined();
  now += 9_000;
  expect(limited(take, 'ann')?.headers['Retry-After']).toBe('1');
  now += 1_000;
  expect(limited(take, 'ann')).toBeUndefined();
  expect(limited(take, 'ann')).toBeDefined();
});

test('what was not used does not grow over the burst', () => {
  let now = 0;
  const take = createCallLimit({ of: 'changes', burst: 2, perSecond: 1 }, () => now);
  take('ann');
  now += 3_600_000;
  take('ann');
  take('ann');
  expect(limited(take, 'ann')).toBeDefined();
});
