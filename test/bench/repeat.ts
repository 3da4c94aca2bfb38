import { type Measured, median, spread } from './measured.ts';

/** Seconds by what they were spent on, one for each repetition. */
export class Times<What extends string> {
  readonly #taken = new Map<What, number[]>();

  add(times: Readonly<Record<What, number>>): void {
    for (const [what, time] of Object.entries(times) as [What, number][]) {
      this.#taken.set(what, [...(this.#taken.get(what) ?? []), time]);
    }
  }

  /** One line of the table: the medians of both, and the larger spread as noise. */
  compare(line: {
    readonly what: string;
    readonly measured: What;
    readonly baseline: What;
    readonly is: string;
    readonly target: number;
  }): Measured {
    const measured = this.#taken.get(line.measured) ?? [];
    const baseline = this.#taken.get(line.baseline) ?? [];
    return {
      what: line.what,
      unit: 's',
      measured: median(measured),
      baseline: { is: line.is, value: median(baseline) },
      target: line.target,
      noise: Math.max(spread(measured), spread(baseline)),
    };
  }
}
