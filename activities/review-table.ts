import { archivesNext, type Review, type ReviewInput } from '../src/domain/contracts.ts';
import type { RunKind } from '../src/domain/run-plan.ts';
import type { TableStatus } from '../src/domain/run-result.ts';
import { type ReviewRequest, reviewStaged, reviewUnchanged } from '../src/db/review.ts';
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
  const { db } = dependencies.database;
  const request = requestOf(dependencies, input);
  const { table } = request;
  const review = await reviewStaged(db, request, attempt);
  if (input.kind === 'plan' || review.verdict === 'hold') {
    const expiredBefore = input.table.expiredBefore ?? null;
    const reviewed = { runId: input.runId, table, staged: input.staged, review, expiredBefore };
    const shown = await saveReview(db, reviewed);
    if (input.kind === 'plan') await savePlannedCounts(db, reviewed, shown);
  }
  const ended = endedBy(review, input.kind);
  if (ended) await closeTable(db, input.runId, table.name, ended, review.reason);
  const merges = review.verdict === 'pass' && !ended;
  return merges && (await mergedAsSame(dependencies, input, review))
    ? { ...review, verdict: 'same' }
    : review;
}

/**
 * Ends a table that shows what is live already, without a step of its own. Safe to repeat.
 *
 * @returns its review; null when something differs or a person has to look, and nothing has happened
 */
export async function endUnchanged(
  dependencies: ActivityDependencies,
  input: ReviewInput,
): Promise<Review | null> {
  const review = await reviewUnchanged(dependencies.database.db, requestOf(dependencies, input));
  if (review?.verdict !== 'pass') return null;
  return (await mergedAsSame(dependencies, input, review)) ? review : null;
}

function requestOf({ syncs }: ActivityDependencies, input: ReviewInput): ReviewRequest {
  const { runId, staged, scope } = input;
  const sync = findSync(syncs, input.sync);
  const { table, guards, archives, days } = input.table;
  return {
    runId,
    table: liveTableOf(sync, findTable(sync, table), scope),
    staged,
    guards,
    archives,
    days: days ?? null,
  };
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
