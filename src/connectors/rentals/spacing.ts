import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until it is the caller's turn; who comes first goes first. */
export type TakeStart = (signal: AbortSignal) => Promise<void>;

/**
 * Keeps starts apart: from one to the next at least `apartMs` pass, whoever asks. A turn that was given up by an
 * abort costs nothing.
 */
export function createSpacing(apartMs: number): TakeStart {
  let nextAt = 0;
  let queue: Promise<unknown> = Promise.resolve();
  const take = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    // A timer may fire a little early.
    for (let now = performance.now(); now < nextAt; now = performance.now()) {
      await sleep(Math.ceil(nextAt - now), undefined, { signal });
    }
    nextAt = performance.now() + apartMs;
  };
  return (signal) => {
    const turn = queue.then(() => take(signal));
    queue = turn.catch(() => undefined);
    return turn;
  };
}
