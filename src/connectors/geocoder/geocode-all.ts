import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { FAILURES, SyncFailure } from '../../domain/failures.ts';
import type { GeocodeAnswer, Geocoder } from './geocoder.ts';

export interface GeocodeAllOptions {
  /** Each address once; read only as fast as it is asked. */
  readonly addresses: AsyncIterable<string> | Iterable<string>;
  readonly geocoder: Geocoder;
  /** Requests started in any second, repeats included. */
  readonly requestsPerSecond: number;
  /** The most addresses under way at one time. */
  readonly concurrency?: number;
  /** The pauses before an address is asked again after a passing failure; as many repeats as entries. */
  readonly retryDelaysMs?: readonly number[];
  readonly signal: AbortSignal;
  /** Called once for each answered address, as answers come, several at a time; an error of it ends the call. */
  onAnswer(address: string, answer: GeocodeAnswer): void | Promise<void>;
}

/** All counts are of addresses, not of requests. */
export interface GeocodeCounts {
  /** Those for which at least one request was sent. */
  readonly asked: number;
  readonly ok: number;
  readonly zeroResults: number;
  readonly invalid: number;
  /** Given up after the last repeat. */
  readonly failed: number;
  /** Why the first of the failed ones failed. */
  readonly firstFailure?: string;
  /** Without an answer because the run was stopped; 0 when it was not. */
  readonly left: number;
  /** Why no further address was asked. */
  readonly stoppedBy?: string;
}

/** Enough to keep 50 requests a second going while each takes four seconds. */
const DEFAULT_CONCURRENCY = 200;
const DEFAULT_RETRY_DELAYS_MS = [500, 2_000, 8_000];
/** However long the geocoder asks us to wait. */
const LONGEST_PAUSE_MS = 30_000;
/** Without it, a geocoder that is down would be asked for every address, over and over, for hours. */
const FAILURES_IN_A_ROW = 50;

/** The other side counts arrivals, which come less evenly than our starts. */
const PACE_MARGIN = 1.02;
const LONGEST_DELAY_MADE_UP_MS = 250;

const COUNTED_AS = { OK: 'ok', ZERO_RESULTS: 'zeroResults', INVALID_REQUEST: 'invalid' } as const;

type Outcome =
  | { readonly kind: 'answered'; readonly answer: GeocodeAnswer }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The run ended before this address had an answer. */
  | { readonly kind: 'left' };

/**
 * Asks for many addresses at a steady pace. An address that keeps failing is counted and the others go on;
 * a failure that no retry helps (a refused key, a used-up quota), or 50 addresses in a row that failed, stops
 * the rest. Safe to repeat. Throws only the signal's reason, an error of `addresses` or `onAnswer`, or a bug.
 */
export async function geocodeAll(options: GeocodeAllOptions): Promise<GeocodeCounts> {
  const { geocoder, signal, concurrency = DEFAULT_CONCURRENCY } = options;
  const retryDelaysMs = options.retryDelaysMs ?? DEFAULT_RETRY_DELAYS_MS;
  const takeTurn = createPacer(options.requestsPerSecond);
  const counts = { asked: 0, ok: 0, zeroResults: 0, invalid: 0, failed: 0, left: 0 };
  let firstFailure: string | undefined;
  let stoppedBy: string | undefined;
  let failedInARow = 0;

  // Wakes everybody who waits for a turn or a repeat, but lets requests under way come to their end.
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const underWay = new Set<Promise<void>>();
  const errors: unknown[] = [];

  try {
    for await (const address of options.addresses) {
      if (underWay.size >= concurrency) await Promise.race(underWay);
      if (signal.aborted || errors.length > 0) break;
      if (ended.aborted) {
        counts.left += 1;
        continue;
      }
      const task = settle(address)
        .catch((error: unknown) => {
          errors.push(error);
          ending.abort();
        })
        .finally(() => underWay.delete(task));
      underWay.add(task);
    }
  } catch (error) {
    errors.push(error);
    ending.abort();
  }
  await Promise.all(underWay);
  signal.throwIfAborted();
  if (errors.length > 0) throw errors[0];
  return { ...counts, firstFailure, stoppedBy };

  async function settle(address: string): Promise<void> {
    const outcome = await ask(address);
    switch (outcome.kind) {
      case 'answered':
        failedInARow = 0;
        counts[COUNTED_AS[outcome.answer.status]] += 1;
        return options.onAnswer(address, outcome.answer);
      case 'failed':
        failedInARow += 1;
        counts.failed += 1;
        firstFailure ??= outcome.reason;
        if (failedInARow >= FAILURES_IN_A_ROW) {
          stop(`${FAILURES_IN_A_ROW} addresses in a row failed. The last time: ${outcome.reason}`);
        }
        return;
      case 'left':
        counts.left += 1;
        return;
      default:
        return outcome satisfies never;
    }
  }

  async function ask(address: string): Promise<Outcome> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await takeTurn(ended);
        if (attempt === 0) counts.asked += 1;
        return { kind: 'answered', answer: await geocoder.geocode(address, signal) };
      } catch (error) {
        if (ended.aborted) return { kind: 'left' };
        if (!(error instanceof SyncFailure)) throw error;
        if (FAILURES[error.code] === 'never') {
          stop(error.message);
          return { kind: 'left' };
        }
        const delayMs = retryDelaysMs[attempt];
        if (delayMs === undefined) return { kind: 'failed', reason: error.message };
        await pause(Math.min(Math.max(delayMs, error.retryAfterMs ?? 0), LONGEST_PAUSE_MS), ended);
      }
    }
  }

  function stop(reason: string): void {
    stoppedBy ??= reason;
    ending.abort();
  }
}

/**
 * Lets callers through one by one, in order and evenly spaced. Turns that came late because the process was
 * busy are made up for, at twice the pace at most and never above the rate in any second.
 */
function createPacer(perSecond: number): (signal: AbortSignal) => Promise<void> {
  const spacingMs = (1000 / perSecond) * PACE_MARGIN;
  const starts = Array.from({ length: Math.max(1, Math.floor(perSecond)) }, () => -Infinity);
  const windowMs = starts.length * spacingMs;
  const oneAtATime = pLimit(1);
  let turn = 0;
  let dueMs = performance.now();
  let nextAtMs = -Infinity;
  return (signal) =>
    oneAtATime(async () => {
      // A timer may fire a fraction of a millisecond early, so one wait can leave a rest.
      let waitMs = nextAtMs - performance.now();
      while (waitMs > 0 && !signal.aborted) {
        await pause(waitMs, signal);
        waitMs = nextAtMs - performance.now();
      }
      signal.throwIfAborted();
      const nowMs = performance.now();
      starts[turn % starts.length] = nowMs;
      turn += 1;
      dueMs = Math.max(dueMs + spacingMs, nowMs - LONGEST_DELAY_MADE_UP_MS);
      const windowEndMs = (starts[turn % starts.length] ?? -Infinity) + windowMs;
      nextAtMs = Math.max(dueMs, nowMs + spacingMs / 2, windowEndMs);
    });
}

/** Waits, or returns early when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
