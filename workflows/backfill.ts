import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type BackfillInput,
  type BackfillProblem,
  type BackfillProgress,
  backfillRunId,
  type BackfillStatus,
  type BackfillWindow,
  countWindows,
  windowFrom,
  WINDOWS_AT_ONCE,
  windowsPerHistory,
} from '../src/domain/backfills.ts';
import type { RunId } from '../src/domain/ids.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import { backfills } from './activities.ts';
import { backfillStatusQuery } from './messages.ts';
import { pauseSignal, readPauseReason, resumeSignal } from './client-messages.ts';
import { describeBackfill } from './describe-backfill.ts';
import { failureMessage } from './failure-message.ts';
import { runSync } from './run-sync.ts';

const PROBLEMS_KEPT_MAX = 50;
/** The lowest there is; live runs have 3. */
const PRIORITY = { priorityKey: 5 };

type Outcome = Pick<BackfillProblem, 'message'> & {
  readonly outcome: 'completed' | BackfillProblem['outcome'];
  readonly rows: number;
};

/**
 * Runs past days of a sync, each window a child `runSync`, so many at once, the oldest first. A window that fails is
 * reported and the others go on. While it is paused no window is started, and those that are open go on to their end.
 */
export async function backfillSync(input: BackfillInput): Promise<BackfillStatus> {
  refuseUnclear(input);
  const { sync, from, to, concurrency = WINDOWS_AT_ONCE, requestedBy } = input;
  let progress: BackfillProgress = input.carried ?? {
    next: from,
    completed: 0,
    failed: 0,
    held: 0,
    rows: 0,
    problems: [],
    pausedReason: null,
  };
  const open = new Map<string, BackfillWindow & { readonly runId: RunId | null }>();
  const followed: Promise<void>[] = [];
  let started = 0;

  // Before the first await, so that none that comes early is lost.
  setHandler(pauseSignal, (sent) => update({ pausedReason: readPauseReason(sent) }));
  setHandler(resumeSignal, () => update({ pausedReason: null }));
  setHandler(backfillStatusQuery, status);
  upsertSearchAttributes({ SyncName: [sync], SyncTrigger: ['backfill'], RunStatus: ['running'] });
  try {
    if (!input.carried) await backfills.checkBackfill(input);
    for (;;) {
      await condition(() => mayStart() || (open.size === 0 && (isAllStarted() || isOld())));
      if (!mayStart()) break;
      const window = windowFrom(input, progress.next);
      started += 1;
      open.set(window.from, { ...window, runId: null });
      update({ next: window.to });
      followed.push(follow(window));
    }
    await condition(allHandlersFinished);
  } catch (error) {
    // Children are asked to stop too; each ends its row.
    await CancellationScope.nonCancellable(() => Promise.all(followed));
    upsertSearchAttributes({ RunStatus: [isCancellation(error) ? 'cancelled' : 'failed'] });
    throw error;
  }
  if (!isAllStarted()) return continueAsNew<typeof backfillSync>({ ...input, carried: progress });
  const { failed, held } = progress;
  upsertSearchAttributes({
    RunStatus: [failed > 0 ? 'completed_with_errors' : held > 0 ? 'held' : 'completed'],
  });
  return status();

  function status(): BackfillStatus {
    return { sync, from, to, windows: countWindows(input), open: [...open.values()], ...progress };
  }

  function update(change: Partial<BackfillProgress>): void {
    progress = { ...progress, ...change };
    setCurrentDetails(describeBackfill(status()));
  }

  function isAllStarted(): boolean {
    return progress.next >= to;
  }

  /** A child must not be open when this continues as new, so at the end of a history none is started. */
  function isOld(): boolean {
    return started >= windowsPerHistory(input) || workflowInfo().continueAsNewSuggested;
  }

  function mayStart(): boolean {
    return progress.pausedReason === null && !isAllStarted() && !isOld() && open.size < concurrency;
  }

  /** Runs one window and takes note of how it ended. Never throws: a failing window costs that window. */
  async function follow(window: BackfillWindow): Promise<void> {
    let runId: RunId | null = null;
    let ended: Outcome;
    try {
      const child = await startChild(runSync, {
        workflowId: backfillRunId(sync, window),
        args: [
          {
            sync,
            from: window.from,
            to: window.to,
            trigger: 'backfill',
            triggeredBy: requestedBy ?? 'backfill',
          },
        ],
        // When this is terminated, the few open windows end as they would have.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        priority: PRIORITY,
        staticSummary: `backfill ${window.from}`,
      });
      runId = child.firstExecutionRunId as RunId;
      open.set(window.from, { ...window, runId });
      ended = outcomeOf(await child.result());
    } catch (error) {
      ended = { outcome: 'failed', rows: 0, message: messageOf(error) };
    }
    open.delete(window.from);
    const { outcome, rows, message } = ended;
    const problems =
      outcome !== 'completed' && progress.problems.length < PROBLEMS_KEPT_MAX
        ? [...progress.problems, { ...window, outcome, runId, message }]
        : progress.problems;
    update({ [outcome]: progress[outcome] + 1, rows: progress.rows + rows, problems });
  }
}

/** What comes from the plain Temporal CLI is not typed. The rest is checked by `checkBackfill`. */
function refuseUnclear(input: Partial<BackfillInput> | undefined): void {
  const { sync, from, to } = Object(input) as Readonly<Record<string, unknown>>;
  if ([sync, from, to].every((value) => typeof value === 'string')) return;
  throw ApplicationFailure.nonRetryable(
    'The input of backfillSync is an object such as {"sync":"sales","from":"2026-01-01","to":"2026-02-01"}.',
    'InvalidInput',
  );
}

function outcomeOf({ status, error_message: message, total_rows_processed: rows }: RunResult): Outcome {
  const outcome = status === 'completed' || status === 'held' ? status : 'failed';
  return { outcome, rows, message };
}

function messageOf(error: unknown): string {
  if (isCancellation(error)) return 'The run was cancelled.';
  if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') {
    return 'An earlier backfill of this window is still under way.';
  }
  return failureMessage(error instanceof ChildWorkflowFailure ? error.cause : error);
}
