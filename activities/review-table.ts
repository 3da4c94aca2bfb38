import type { Review, ReviewInput } from '../src/domain/contracts.ts';
import { reviewStaged } from '../src/db/review.ts';
import { savePlannedCounts, saveReview } from '../src/db/review-sample.ts';
import { type ActivityDependencies, findSync, findTable, liveTable } from './dependencies.ts';

/**
 * Compares what was staged with what is live and lets the guards decide. When a person will look at it (a
 * plan, or a hold), samples of the differences are kept in the database. Safe to repeat.
 */
export async function reviewTable(
  { database, syncs }: ActivityDependencies,
  input: ReviewInput,
  attempt: number,
): Promise<Review> {
  const sync = findSync(syncs, input.sync);
  const table = liveTable(sync, findTable(sync, input.table.table));
  const { guards, archives } = input.table;
  const review = await reviewStaged(database.db, {
    runId: input.runId,
    table,
    staged: input.staged,
    guards,
    archives,
    attempt,
  });
  if (input.kind === 'plan' || review.verdict === 'hold') {
    await saveReview(database.db, input.runId, table, input.staged, review);
  }
  if (input.kind === 'plan') await savePlannedCounts(database.db, input.runId, table, review);
  return review;
}
