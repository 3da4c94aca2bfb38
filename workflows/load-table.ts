import { getExternalWorkflowHandle, isCancellation, workflowInfo } from '@temporalio/workflow';
import { archivesNext, type Review, type Staged } from '../src/domain/contracts.ts';
import { holdId, type RunId } from '../src/domain/ids.ts';
import type { RunPlan, TablePlan } from '../src/domain/run-plan.ts';
import { heavy, heavySummary, quick, quickSummary } from './activities.ts';
import { failureMessage } from './failure-message.ts';
import { supersededSignal } from './messages.ts';
import type { ReadInTurn } from './read-in-turns.ts';

/** What was shown of a table that waits for a decision. */
export interface HeldTable {
  readonly table: TablePlan;
  readonly staged: Staged;
  readonly review: Review;
}

export type TableOutcome =
  | {
      readonly status: 'completed' | 'failed' | 'skipped';
      readonly note: string;
      readonly notices?: readonly string[];
    }
  | {
      readonly status: 'held';
      readonly note: string;
      readonly notices?: readonly string[];
      readonly held: HeldTable;
    };

/** Another run may merge between review and merge, and a crash may empty staging; each costs one round. */
const ROUNDS_MAX = 10;

/** Loads one table. Never throws but for cancellation: a bad table costs that table. */
export async function loadTable(plan: RunPlan, table: TablePlan, read: ReadInTurn): Promise<TableOutcome> {
  try {
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const outcome = await loadOnce(plan, table, read);
      if (outcome) return outcome;
    }
    const note = `The table changed ${ROUNDS_MAX} times between review and merge. Run the sync again.`;
    return await fail(plan, table, note);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return fail(plan, table, failureMessage(error));
  }
}

/** The priority of steps of a run that has begun: many runs at once end one after the other instead of all at the end. */
function beforeNewRuns() {
  return { priorityKey: Math.max(1, (workflowInfo().priority?.priorityKey || 3) - 1) };
}

/** One round of stage, review, merge and archive; null when it has to begin again. */
async function loadOnce(plan: RunPlan, table: TablePlan, read: ReadInTurn): Promise<TableOutcome | null> {
  const { runId, sync, scope, kind, logicalAt, timeZone, window, full, sourceQueue } = plan;
  const of = { runId, sync, scope, table };
  const reading = {
    ...heavySummary(`${table.table}: stage`),
    taskQueue: sourceQueue ?? undefined,
    priority: beforeNewRuns(),
  };
  const staged = await read(() =>
    heavy.stageTable.executeWithOptions(reading, [{ ...of, kind, logicalAt, timeZone, window, full }]),
  );
  const seen = `${table.table}: ${staged.staged} rows staged, ${staged.quarantined} quarantined`;
  if (staged.ended) {
    return { status: 'completed', note: `${seen}; nothing to merge`, notices: staged.notices };
  }
  const review = await heavy.reviewTable.executeWithOptions(heavySummary(seen), [{ ...of, staged, kind }]);
  if (review.verdict === 'lost') return null;
  if (review.verdict === 'older') return { status: 'skipped', note: review.reason ?? 'older' };
  const notices = [...(staged.notices ?? []), ...review.notices];
  if (review.verdict === 'same') {
    return { status: 'completed', note: `${table.table}: ${review.unchanged} unchanged`, notices };
  }
  if (review.verdict === 'hold') {
    return { status: 'held', note: review.reason ?? 'held', notices, held: { table, staged, review } };
  }
  if (kind === 'plan') return { status: 'completed', note: seen, notices };
  const outcome = await mergeTable(plan, { table, staged, review });
  return outcome && { ...outcome, notices };
}

/**
 * Merges and archives what was reviewed.
 *
 * @returns null when the live table has moved or staging is lost, so that the review counts no more
 */
export async function mergeTable(
  { runId, sync, scope }: RunPlan,
  { table, staged, review }: HeldTable,
): Promise<TableOutcome | null> {
  const of = { runId, sync, scope, table, staged, review };
  const { inserted, updated, unchanged, missing } = review;
  const changes = `${table.table}: ${inserted} new, ${updated} changed, ${unchanged} unchanged`;
  const merged = await heavy.mergeStaged.executeWithOptions(heavySummary(changes), [of]);
  if (merged.outcome !== 'merged') return null;
  await Promise.all(merged.superseded.map((heldRun) => supersede(heldRun, table.table, runId)));
  if (!archivesNext(table, review)) return { status: 'completed', note: changes };
  const archived = await heavy.archiveMissing.executeWithOptions(
    heavySummary(`${table.table}: ${missing} to archive`),
    [{ ...of, generation: merged.generation }],
  );
  if (archived.outcome === 'lost') return null;
  const count = archived.outcome === 'archived' ? archived.archived : 0;
  return { status: 'completed', note: `${changes}, ${count} archived` };
}

async function supersede(heldRun: RunId, table: string, by: RunId): Promise<void> {
  try {
    await getExternalWorkflowHandle(holdId(heldRun)).signal(supersededSignal, { table, by });
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Its workflow has already ended: the decision fell a moment ago, or the server lost its state.
  }
}

/** The steps of a table record how it ended; only a failed step cannot. */
async function fail({ runId, sync, scope }: RunPlan, table: TablePlan, note: string): Promise<TableOutcome> {
  await quick.closeTable.executeWithOptions(quickSummary(`${table.table}: failed`), [
    { runId, sync, scope, table, status: 'failed', message: note },
  ]);
  return { status: 'failed', note };
}
