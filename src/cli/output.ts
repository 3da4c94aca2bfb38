import Table from 'cli-table3';
import colors from 'picocolors';
import type { RunResult, RunStatus, TableStatus } from '../domain/run-result.ts';
import { EXIT } from './exit-codes.ts';

/** Writes one JSON document to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a line for people. */
export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export const count = (value: number): string => value.toLocaleString('en-US');

const COLORS: Partial<Record<RunStatus | TableStatus, (text: string) => string>> = {
  completed: colors.green,
  completed_with_errors: colors.yellow,
  planned: colors.cyan,
  held: colors.yellow,
  failed: colors.red,
  rejected: colors.red,
  skipped: colors.dim,
};

export const paintStatus = (status: RunStatus | TableStatus): string => (COLORS[status] ?? String)(status);

/** A table without frames, which stays readable when copied. Columns named in `right` align right; a head of blanks is left away. */
export function renderTable(
  head: readonly string[],
  rows: readonly string[][],
  right: readonly string[] = [],
): string {
  const chars = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const table = new Table({
    head: head.some((text) => text !== '') ? head.map((text) => colors.dim(text)) : [],
    colAligns: head.map((name) => (right.includes(name) ? 'right' : 'left')),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    chars,
  });
  table.push(...rows);
  return table.toString();
}

const COUNTS = [
  'inserted',
  'updated',
  'unchanged',
  'skipped',
  'archived',
  'restored',
  'quarantined',
] as const;

/** The result of a run as a table, its steps, notices and what to do next. Counts that are 0 everywhere are left away. */
export function renderResult(result: RunResult): string {
  const shown = COUNTS.filter((name) => result.tables.some((table) => table[name] > 0));
  const rows = result.tables.map((table) => [
    table.table,
    paintStatus(table.status),
    ...[table.rows_processed, ...shown.map((name) => table[name])].map(count),
  ]);
  const lines = [renderTable(['table', 'status', 'rows', ...shown], rows, ['rows', ...shown]), ''];
  for (const step of [...result.enrich, ...result.derive]) {
    lines.push(`${step.success ? colors.green('✔') : colors.red('✘')} ${step.step}: ${step.summary}`);
  }
  for (const table of result.tables) {
    if (table.error) lines.push(`${paintStatus(table.status)} ${naming(table.table, table.error)}`);
  }
  for (const notice of result.notices) lines.push(`${colors.yellow('!')} ${notice}`);
  const took = result.duration_seconds === null ? '' : ` in ${result.duration_seconds} s`;
  lines.push(
    `${colors.bold(result.sync)} ${paintStatus(result.status)}: ${count(result.total_rows_processed)} rows${took}, run ${result.run_id}`,
  );
  if (result.status === 'held') {
    lines.push(
      `Look at it with: npx durasync runs show ${result.run_id}`,
      `Then decide:     npx durasync runs approve ${result.run_id}   (or reject)`,
    );
  }
  return lines.join('\n');
}

/** A message that names its table, once. */
const naming = (table: string, message: string): string =>
  message.startsWith(`${table}:`) ? message : `${table}: ${message}`;

/** The exit code that a finished run stands for. */
export function exitCodeOf(result: RunResult): number {
  const steps = [...result.enrich, ...result.derive];
  switch (result.status) {
    case 'completed':
    case 'planned':
      return result.failure_count === 0 && steps.every((step) => step.success) ? EXIT.ok : EXIT.failed;
    case 'held':
      return result.failure_count > 0 ? EXIT.failed : EXIT.held;
    case 'running':
    case 'completed_with_errors':
    case 'failed':
    case 'rejected':
    case 'cancelled':
    case 'undone':
      return EXIT.failed;
  }
}
