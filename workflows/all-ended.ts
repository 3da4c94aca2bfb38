/**
 * `Promise.all`, except that a rejection waits for the others: a run that is stopped ends its row after all of its
 * steps, and not while some of them may still write.
 */
export async function allEnded<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
