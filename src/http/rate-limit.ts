import { ProblemError } from './problems.ts';

export interface CallLimit {
  /** What people call that which is limited, such as 'logins'. */
  readonly of: string;
  readonly burst: number;
  readonly perSecond: number;
}

/** Callers that are remembered; the longest silent is forgotten first. */
const CALLERS_MAX = 10_000;

/**
 * Counts the calls of each caller in this process: `burst` at once, and `perSecond` more with time.
 *
 * @returns takes one call of a caller. Throws ProblemError rate-limited, with Retry-After
 */
export function createCallLimit({ of, burst, perSecond }: CallLimit, now = () => performance.now()) {
  const callers = new Map<string, { tokens: number; at: number }>();
  return (caller: string): void => {
    const at = now();
    const known = callers.get(caller);
    const tokens = known ? Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond) : burst;
    const allowed = tokens >= 1;
    // Deleted first, so that the oldest in the map is the longest silent.
    callers.delete(caller);
    callers.set(caller, { tokens: allowed ? tokens - 1 : tokens, at });
    const [oldest] = callers.keys();
    if (callers.size > CALLERS_MAX && oldest !== undefined) callers.delete(oldest);
    if (allowed) return;
    const seconds = Math.max(1, Math.ceil((1 - tokens) / perSecond));
    throw new ProblemError(
      'rate-limited',
      `Too many ${of}. Try again in ${seconds} s.`,
      { retry_after_seconds: seconds },
      { 'Retry-After': String(seconds) },
    );
  };
}
