import colors from 'picocolors';
import { audit } from '../../db/audit.ts';
import { readReviews } from '../../db/run-list.ts';
import type { ReviewShown } from '../../db/review-sample.ts';
import { startRun } from '../../temporal/runs.ts';
import { actor, requireSync } from '../context.ts';
import { count, exitCodeOf, printJson, printLine, renderResult } from '../output.ts';
import { follow, withRunningEngines } from '../follow-run.ts';

const SHOWN_ROWS = 3;

/** Shows what a run would do, with sample rows and column-level differences. Merges nothing. */
export async function plan(
  sync: string,
  options: { readonly table: readonly string[]; readonly json?: true },
): Promise<number> {
  requireSync(sync);
  return withRunningEngines(async (session) => {
    const tables = options.table.length > 0 ? options.table : undefined;
    const started = await startRun(session.client, {
      sync,
      kind: 'plan',
      tables,
      trigger: 'manual',
      triggeredBy: actor(),
    });
    await audit(session.database.db, {
      actor: actor(),
      action: 'plan',
      subject: sync,
      detail: { runId: started.runId },
    });
    const result = await follow(session, started);
    const reviews = await readReviews(session.database.db, started.runId);
    if (options.json) {
      printJson({ ...result, reviews });
    } else {
      printLine(renderResult(result));
      for (const review of reviews) printLine(renderReview(review));
    }
    return exitCodeOf(result);
  });
}

/** What a review showed of one table: counts, then some rows of each kind. */
export function renderReview(review: ReviewShown & { readonly table: string }): string {
  const { samples } = review;
  const { inserted, updated, unchanged, restored, missing, archived, quarantined } = review;
  if (!review.reason && inserted + updated + restored + missing + archived + quarantined === 0) {
    return `${colors.bold(review.table)}: nothing changes (${count(unchanged)} rows)`;
  }
  const counts = [
    `${count(inserted)} to insert`,
    `${count(updated)} to update`,
    ...(restored > 0 ? [`${count(restored)} to bring back from the archive`] : []),
    `${count(unchanged)} unchanged`,
    `${count(missing)} missing from the source`,
    `${count(archived)} to archive`,
    ...(quarantined > 0 ? [`${count(quarantined)} quarantined`] : []),
  ];
  const lines = ['', `${colors.bold(review.table)}: ${counts.join(', ')}`];
  if (review.reason) lines.push(colors.yellow(`  held: ${review.reason}`));
  for (const row of samples.inserted.slice(0, SHOWN_ROWS)) lines.push(colors.green(`  + ${shortRow(row)}`));
  for (const row of samples.restored.slice(0, SHOWN_ROWS)) lines.push(colors.green(`  ↑ ${shortRow(row)}`));
  for (const row of samples.missing.slice(0, SHOWN_ROWS)) lines.push(colors.red(`  - ${shortRow(row)}`));
  for (const { key, changes } of samples.updated.slice(0, SHOWN_ROWS)) {
    const changed = Object.entries(changes).map(
      ([column, [from, to]]) => `${column}: ${show(from)} → ${show(to)}`,
    );
    lines.push(`  ~ ${shortRow(key)}  ${changed.join(', ')}`);
  }
  for (const { position, reasons } of samples.quarantined.slice(0, SHOWN_ROWS)) {
    lines.push(colors.yellow(`  ! row ${position}: ${reasons.join('; ')}`));
  }
  return lines.join('\n');
}

const show = (value: unknown): string =>
  typeof value === 'string' ? value : value === null || value === undefined ? '∅' : JSON.stringify(value);

function shortRow(row: Readonly<Record<string, unknown>>): string {
  const cells = Object.entries(row).filter(([, value]) => value !== null);
  const text = cells.map(([column, value]) => `${column}=${show(value)}`).join(' ');
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
