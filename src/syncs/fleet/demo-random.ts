const scramble = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** A whole number from 0 to 2^32 − 1 that looks random and depends on nothing but the arguments. */
export function hash(seed: number, a: number, b = 0, c = 0): number {
  let mixed = scramble(seed ^ 0x9e3779b9);
  mixed = scramble(mixed ^ Math.imul(a, 0xcc9e2d51));
  mixed = scramble(mixed ^ Math.imul(b + 0x165667b1, 0x1b873593));
  return scramble(mixed ^ Math.imul(c + 0x27d4eb2f, 0xe6546b65));
}

/** The same as `hash`, at least 0 and below 1. */
export const fraction = (seed: number, a: number, b = 0, c = 0): number => hash(seed, a, b, c) / 2 ** 32;

/** One of the list for every number. */
export function pick<T>(list: readonly T[], number: number): T {
  const picked = list[number % list.length];
  if (picked === undefined) throw new RangeError('cannot pick from an empty list');
  return picked;
}
