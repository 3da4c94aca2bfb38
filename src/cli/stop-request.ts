/** Somebody asked this process to stop. */
class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

export interface StopRequest {
  /** Resolves when it is asked to stop. */
  readonly requested: Promise<void>;
  /** Aborted then, with a StoppedError. */
  readonly signal: AbortSignal;
  request(): void;
}

/**
 * Takes Ctrl-C, a closed terminal and `kill` as a wish to stop in order, from now on for good: a second Ctrl-C
 * must not leave engines behind. (A handler that goes away after its first call would also let log-update end the
 * process at once.)
 */
export function stopRequest(): StopRequest {
  const controller = new AbortController();
  const request = (): void => controller.abort(new StoppedError('Stopped before everything was up.'));
  const requested = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, request);
  return { requested, signal: controller.signal, request };
}
