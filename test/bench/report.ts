import { cpus, loadavg, totalmem } from 'node:os';
import Table from 'cli-table3';
import { isMet, type Measured, ratioOf } from './measured.ts';

const number = (value: number, unit: Measured['unit']): string =>
  unit === 's' ? `${value.toFixed(value < 10 ? 3 : 1)} s` : `${Math.round(value)} ${unit}`;

const percent = (share: number | null): string => (share === null ? '' : `±${Math.round(share * 100)} %`);

/** The whole result as one table for people. */
export function renderTable(where: Machine, lines: readonly Measured[]): string {
  const table = new Table({
    head: ['what', 'measured', 'noise', 'compared with', 'took', 'ratio', 'target', ''],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [34, 11, 8, 46, 11, 8, 12, 9],
  });
  for (const line of lines) {
    const { what, measured, unit, baseline, target, noise } = line;
    const ratio = ratioOf(line);
    table.push([
      what,
      number(measured, unit),
      percent(noise),
      baseline?.is ?? '',
      baseline === null ? '' : number(baseline.value, unit),
      ratio === null ? '' : ratio.toFixed(2),
      ratio === null ? `≤ ${number(target, unit)}` : `≤ ${target.toFixed(1)}`,
      isMet(line) ? 'met' : 'NOT met',
    ]);
  }
  const { node, processors, processor, memoryGb, loadAverage } = where;
  return (
    `${table.toString()}\n` +
    `${processors} × ${processor}, ${memoryGb} GB, Node.js ${node}, load ${loadAverage.toFixed(1)} before the start. ` +
    'Times are medians; noise is half the distance between the fastest and the slowest.'
  );
}

/** Where it was measured: ratios compare between machines, times don't. */
export interface Machine {
  readonly node: string;
  readonly processors: number;
  readonly processor: string;
  readonly memoryGb: number;
  /** Of the last minute. Above 0.5 something else is measured too. */
  readonly loadAverage: number;
}

export const machine = (): Machine => ({
  node: process.version,
  processors: cpus().length,
  processor: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 1024 ** 3),
  loadAverage: loadavg()[0] ?? 0,
});

/** The whole result for programs. */
export const renderJson = (where: Machine, lines: readonly Measured[]): string =>
  JSON.stringify(
    {
      machine: where,
      results: lines.map((line) => Object.assign({}, line, { ratio: ratioOf(line), met: isMet(line) })),
    },
    null,
    2,
  );
