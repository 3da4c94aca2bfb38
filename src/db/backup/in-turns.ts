/**
 * Lets each worker take one item after the other until none is left. When one fails, the others are told to stop, and
 * the first error is thrown.
 */
export async function inTurns<Worker, Item>(
  workers: readonly Worker[],
  items: readonly Item[],
  signal: AbortSignal | undefined,
  work: (worker: Worker, item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const failed = new AbortController();
  const stop = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
  await Promise.all(
    workers.map(async (worker) => {
      for (let item = left.shift(); item !== undefined && !stop.aborted; item = left.shift()) {
        await work(worker, item, stop).catch((error: unknown) => failed.abort(error));
      }
    }),
  );
  stop.throwIfAborted();
}
