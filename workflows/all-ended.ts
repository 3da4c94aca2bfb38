/**
 * `Promise.all`, except that a rejection waits for the others: a run that is stopped ends its row after all of its
 * steps, and not while some of them may still write.
 */
export async function allEnded<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const ended = await Promise.allSettled(work);
  return ended.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  }) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
