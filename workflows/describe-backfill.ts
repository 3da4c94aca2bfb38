import type { BackfillStatus } from '../src/domain/backfills.ts';

const SHOWN_MAX = 20;

/** How far a backfill is, for the Web UI, as Markdown. */
export function describeBackfill(status: BackfillStatus): string {
  const { sync, from, to, windows, completed, failed, held, rows, open, problems, pausedReason } = status;
  const done = completed + failed + held;
  return [
    `**backfill of ${sync}, ${from} to ${to}** — ${done} of ${windows} windows`,
    '',
    `${completed} completed, ${failed} failed, ${held} held, ${rows} rows` +
      (pausedReason === null ? '' : `. **Paused**: ${pausedReason}`),
    '',
    ...(open.length > 0 ? [`Under way: ${open.map((window) => window.from).join(', ')}`, ''] : []),
    ...problems.slice(0, SHOWN_MAX).map((each) => `- ${each.from}: ${each.outcome}: ${each.message ?? ''}`),
  ].join('\n');
}
