import { ActivityFailure, ApplicationFailure, sleep } from '@temporalio/workflow';
import type { AskedWait } from '../src/domain/contracts.ts';
import type { RunPlan } from '../src/domain/run-plan.ts';

/** So many waits in a row without a page in between, and a source counts as giving nothing any more. */
const WAITS_IN_VAIN_MAX = 10;
const MINUTE_MS = 60_000;

/**
 * Runs a step that reads a source when its turn comes, and again after each wait that the source asks for. A wait
 * costs neither an attempt nor a place at a worker, and lets the run's other steps go ahead.
 *
 * @throws what the step throws; ApplicationFailure SourceThrottled when waiting leads to nothing, or would last
 * longer than the run
 */
export type ReadInTurn = <T>(step: () => Promise<T>) => Promise<T>;

/** The turns of one run, as its plan says. */
export function readInTurns({ reads, deadlineMs }: RunPlan): ReadInTurn {
  const endsAtMs = Date.now() + deadlineMs;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn: ReadInTurn = (step) => {
    if (reads !== 'one_by_one') return step();
    const mine = last.then(step);
    last = mine.catch(() => undefined);
    return mine;
  };
  return async (step) => {
    let pages = -1;
    let inVain = 0;
    for (;;) {
      try {
        return await inTurn(step);
      } catch (error) {
        const asked = askedWait(error);
        if (!asked) throw error;
        inVain = asked.pages > pages ? 0 : inVain + 1;
        pages = asked.pages;
        if (inVain >= WAITS_IN_VAIN_MAX) {
          throw gaveUp(
            asked,
            `It asked for a wait ${inVain + 1} times in a row and gave nothing in between.`,
          );
        }
        if (Date.now() + asked.waitMs >= endsAtMs) {
          const minutes = Math.ceil(asked.waitMs / MINUTE_MS);
          throw gaveUp(asked, `The wait of ${minutes} minutes that it asks for would outlast this run.`);
        }
        await sleep(asked.waitMs);
      }
    }
  };
}

interface Asked extends AskedWait {
  readonly message: string;
}

function askedWait(error: unknown): Asked | null {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'SourceThrottled') return null;
  const [asked] = (cause.details ?? []) as Partial<AskedWait>[];
  if (asked?.waitMs === undefined || asked.pages === undefined) return null;
  return { waitMs: asked.waitMs, pages: asked.pages, message: cause.message };
}

const gaveUp = ({ message }: Asked, why: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`${message} ${why}`, 'SourceThrottled');
