/** One line of the final table. */
export interface Measured {
  readonly what: string;
  /** `s` for times, `MB` for memory, `calls` for requests, `steps` and `events` for what Temporal records. */
  readonly unit: 's' | 'MB' | 'calls' | 'steps' | 'events';
  readonly measured: number;
  /** What it is compared with, and what that took; null when the target is a plain limit. */
  readonly baseline: { readonly is: string; readonly value: number } | null;
  /** The most the ratio to the baseline may be, or the most the value may be without a baseline. */
  readonly target: number;
  /** Half the distance between the fastest and the slowest repetition, as a share of the median. */
  readonly noise: number | null;
}

/** The ratio to the baseline, or null without one. */
export const ratioOf = ({ measured, baseline }: Measured): number | null =>
  baseline === null ? null : measured / baseline.value;

export const isMet = (line: Measured): boolean => (ratioOf(line) ?? line.measured) <= line.target;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export const spread = (values: readonly number[]): number =>
  (Math.max(...values) - Math.min(...values)) / 2 / median(values);

/** Seconds that `work` took. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
