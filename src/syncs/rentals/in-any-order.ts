/** Works on items, at most so many at once, and gives each result as soon as it is there. */
export async function* inAnyOrder<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const waiting = items.values();
  const running = new Map<Item, Promise<{ readonly item: Item; readonly result: Result }>>();
  for (;;) {
    while (running.size < atOnce) {
      const next = waiting.next();
      if (next.done) break;
      const item = next.value;
      running.set(
        item,
        work(item).then((result) => ({ item, result })),
      );
    }
    if (running.size === 0) return;
    const { item, result } = await Promise.race(running.values());
    running.delete(item);
    yield result;
  }
}
