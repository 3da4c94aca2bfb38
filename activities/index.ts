import { ApplicationFailure, activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { BackfillActivities, BackfillInput } from '../src/domain/backfills.ts';
import type { CareActivities } from '../src/domain/backups.ts';
import type { ClientActivities } from '../src/domain/clients.ts';
import type { NotifyActivities, SyncActivities } from '../src/domain/contracts.ts';
import { auditOnce } from '../src/db/audit.ts';
import type { HealthActivities } from '../src/domain/health.ts';
import type { SkuActivities } from '../src/domain/sku-analysis.ts';
import type { UndoActivities } from '../src/domain/undo.ts';
import { deliverDue } from '../src/notify/deliver-due.ts';
import { pagesStaged } from '../src/db/pages-staged.ts';
import { closeTable } from '../src/db/runs.ts';
import { dropStaging, keepStaging } from '../src/db/staging.ts';
import { readSettings } from '../src/settings.ts';
import { checkBackfill } from '../src/syncs/check-backfill.ts';
import { askingToWait } from './asking-to-wait.ts';
import { analyseSkus } from './analyse-skus.ts';
import { backUp, noteBackups, prune, removeOld, upload, verifyNewest } from './care.ts';
import { checkHealth } from './check-health.ts';
import { clientActivities } from './clients.ts';
import { type ActivityDependencies, findSync } from './dependencies.ts';
import { archiveMissing, mergeStaged } from './merge-staged.ts';
import { endRun } from './end-run.ts';
import { planRun } from './plan-run.ts';
import { reviewTable } from './review-table.ts';
import { deriveTable, enrichTable } from './run-step.ts';
import { stageTable } from './stage-table.ts';
import { sweepRuns } from './sweep-runs.ts';
import { testConnection } from './test-connection.ts';
import { isUnexpected, toFailure } from './to-failure.ts';
import { planUndo, takeBack } from './undo-run.ts';

const HEARTBEAT_EVERY_MS = 2_000;

/** Every activity of the contract, ready for a worker. Each is safe to repeat. */
export function createActivities(
  deps: ActivityDependencies,
): SyncActivities &
  ClientActivities &
  SkuActivities &
  NotifyActivities &
  HealthActivities &
  UndoActivities &
  BackfillActivities &
  CareActivities {
  const { db } = deps.database;
  const clients = clientActivities(deps);
  const guarded = guard(deps);
  return {
    readClient: (input) => guarded(() => clients.readClient(input)),
    recordClientRun: (input) => guarded(() => clients.recordClientRun(input)),
    setClientPaused: (input) => guarded(() => clients.setClientPaused(input)),
    setClientFrequency: (input) => guarded(() => clients.setClientFrequency(input)),
    reconcileWorkflows: () => guarded(() => clients.reconcileWorkflows()),
    analyseSkus: (input) => guarded(() => analyseSkus(deps, input, cancellationSignal())),
    checkBackfill: (input) => guarded(async () => refuseBackfill(deps, input)),
    planRun: (input) => guarded(() => planRun(deps, input)),
    testConnection: (input) => guarded(() => testConnection(deps, input, cancellationSignal())),
    stageTable: (input) =>
      guarded(() =>
        askingToWait(
          () => stageTable(deps, input, cancellationSignal()),
          () => pagesStaged(db, input.runId, input.table.table),
        ),
      ),
    reviewTable: (input) => guarded(() => reviewTable(deps, input, activityInfo().attempt)),
    mergeStaged: (input) => guarded(() => mergeStaged(deps, input)),
    archiveMissing: (input) => guarded(() => archiveMissing(deps, input)),
    enrichTable: (input) => guarded((progress) => enrichTable(deps, input, stepCall(progress))),
    deriveTable: (input) => guarded((progress) => deriveTable(deps, input, stepCall(progress))),
    closeTable: ({ runId, table, status, message }) =>
      guarded(() => closeTable(db, runId, table.table, status, message)),
    keepStaging: ({ relations }) => guarded(() => keepStaging(db, relations)),
    finishRun: (input) => guarded(() => finishRun(deps, input)),
    sweepRuns: () => guarded(() => sweepRuns(deps)),
    createBackup: (input) => guarded((progress) => backUp(deps, input, stepCall(progress))),
    uploadBackup: (input) => guarded((progress) => upload(deps, input, stepCall(progress))),
    verifyNewestBackup: () => guarded((progress) => verifyNewest(deps, stepCall(progress))),
    pruneBackups: () => guarded(() => prune(deps)),
    noteBackups: (input) => guarded(() => noteBackups(deps, input)),
    removeOldRows: () => guarded((progress) => removeOld(deps, stepCall(progress))),
    checkHealth: (input) => guarded(() => checkHealth(deps, input, cancellationSignal())),
    planUndo: (input) => guarded(() => planUndo(deps, input)),
    takeBack: (input) => guarded(() => takeBack(deps, input)),
    deliverNotifications: () => guarded(() => deliverNotifications(deps, cancellationSignal())),
  };
}

function refuseBackfill({ syncs, env }: ActivityDependencies, input: BackfillInput): void {
  const sync = findSync(syncs, input.sync);
  checkBackfill(sync, readSettings(sync.settings, env), input);
}

type Progress = (detail: string) => void;

const stepCall = (progress: Progress) => ({ signal: cancellationSignal(), progress });

/**
 * Beats for as long as the work takes, so that a dead worker is noticed soon, and types its failures. Every beat
 * carries the newest detail, since Temporal shows only that of the last one.
 */
function guard({ log, countFailure }: Pick<ActivityDependencies, 'log' | 'countFailure'>) {
  return async <T>(work: (progress: Progress) => Promise<T>): Promise<T> => {
    let detail: string | undefined;
    const beat = setInterval(() => heartbeat(detail), HEARTBEAT_EVERY_MS);
    try {
      return await work((newest) => {
        detail = newest;
        heartbeat(detail);
      });
    } catch (error) {
      const { activityType, attempt } = activityInfo();
      const failure = toFailure(error, attempt);
      if (failure instanceof ApplicationFailure) {
        countFailure?.(activityType, failure.type ?? 'Unexpected');
        log.debug({ activityType, attempt, code: failure.type }, failure.message);
      }
      if (isUnexpected(failure))
        log.error({ activityType, attempt, frames: framesOf(error) }, failure.message);
      throw failure;
    } finally {
      clearInterval(beat);
    }
  };
}

/** Where it was thrown. The rest of a stack repeats the message, or the one of a cause. */
const framesOf = (error: unknown): string[] =>
  error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];

function deliverNotifications(
  { database: { db }, channels, log }: ActivityDependencies,
  signal: AbortSignal,
): ReturnType<NotifyActivities['deliverNotifications']> {
  return deliverDue({ db, channels, log, signal });
}

async function finishRun(
  deps: ActivityDependencies,
  input: Parameters<SyncActivities['finishRun']>[0],
): ReturnType<SyncActivities['finishRun']> {
  const { db } = deps.database;
  const result = await endRun(deps, input);
  if (result.status !== 'held') await dropStaging(db, input.runId);
  if (input.decision) {
    const { by, action, reason } = input.decision;
    await auditOnce(db, { actor: by, action, subject: input.runId, detail: { reason } });
  }
  return result;
}
