import { archivesNext, type Review, type ReviewInput } from '../src/domain/contracts.ts';
import type { RunKind } from '../src/domain/run-plan.ts';
import type { TableStatus } from '../src/domain/run-result.ts';
import { reviewStaged } from '../src/db/review.ts';
import { closeTable } from '../src/db/runs.ts';
import { savePlannedCounts, saveReview } from '../src/db/review-sample.ts';
import { mergeStaged } from './merge-staged.ts';
import { type ActivityDependencies, findSync, findTable } from './dependencies.ts';
import { liveTableOf } from '../src/syncs/live-table-of.ts';

/**
 * Compares what was staged with what is live and lets the guards decide. When a person will look at it (a
 * plan, or a hold), samples of the differences are kept in the database. Where nothing differs the table is
 * merged at once, which writes no row. Safe to repeat.
 */
export async function reviewTable(
  dependencies: ActivityDependencies,
  input: ReviewInput,
  attempt: number,
): Promise<Review> {
  const { database, syncs } = dependencies;
  const sync = findSync(syncs, input.sync);
  const table = liveTableOf(sync, findTable(sync, input.table.table), input.scope);
  const { guards, archives } = input.table;
  const review = await reviewStaged(database.db, {
    runId: input.runId,
    table,
    staged: input.staged,
    guards,
    archives,
    days: input.table.days ?? null,
    attempt,
  });
  if (input.kind === 'plan' || review.verdict === 'hold') {
    const expiredBefore = input.table.expiredBefore ?? null;
    const reviewed = { runId: input.runId, table, staged: input.staged, review, expiredBefore };
    const shown = await saveReview(database.db, reviewed);
    if (input.kind === 'plan') await savePlannedCounts(database.db, reviewed, shown);
  }
  const ended = endedBy(review, input.kind);
  if (ended) await closeTable(database.db, input.runId, table.name, ended, review.reason);
  const merges = review.verdict === 'pass' && !ended;
  return merges && (await mergedAsSame(dependencies, input, review))
    ? { ...review, verdict: 'same' }
    : review;
}

/** Holds of other runs that this merge ends are told by the merge step, which finds its counts stored. */
async function mergedAsSame(
  dependencies: ActivityDependencies,
  input: ReviewInput,
  review: Review,
): Promise<boolean> {
  if (review.rows > 0 || review.missing > 0 || archivesNext(input.table, review)) return false;
  const merged = await mergeStaged(dependencies, { ...input, review });
  return merged.outcome === 'merged' && merged.superseded.length === 0;
}

/** How a table ends with its review; null when it goes on to be merged, or is staged again. */
function endedBy({ verdict }: Review, kind: RunKind): TableStatus | null {
  switch (verdict) {
    case 'hold':
      return 'held';
    case 'older':
      return 'skipped';
    case 'pass':
      return kind === 'plan' ? 'completed' : null;
    case 'same':
    case 'lost':
      return null;
  }
}
