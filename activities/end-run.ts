import type { FinishRunInput } from '../src/domain/contracts.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import type { Db } from '../src/db/connect.ts';
import { countRun } from '../src/db/run-totals.ts';
import { closeRun } from '../src/db/runs.ts';
import { readSettings } from '../src/settings.ts';
import { reportRunEnd } from '../src/notify/run-end.ts';
import { notifySettings } from '../src/notify/settings.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Ends a run's row and writes, in the same transaction, what people should hear of it. A repeat finds the row ended
 * and writes nothing more.
 */
export async function endRun(deps: ActivityDependencies, input: FinishRunInput): Promise<RunResult> {
  const { database, wakeNotifications } = deps;
  const { result, toSend, isNew } = await database.db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('durasync.sync_runs')
      .select(['status', 'kind', 'scope', 'trigger'])
      .where('run_id', '=', input.runId)
      .forUpdate()
      .executeTakeFirst();
    const ended = await closeRun(tx, input);
    if (before?.status === ended.status) return { result: ended, toSend: false, isNew: false };
    const told = before?.kind === 'sync' && (await report(tx, deps, ended, before));
    // A decision ends a run that has been counted as held.
    if (before?.status === 'running' && before.kind !== 'plan') await countRun(tx, ended);
    return { result: ended, toSend: told, isNew: true };
  });
  if (isNew) {
    const { run_id: runId, sync, status, duration_seconds: seconds, total_rows_processed: rows } = result;
    deps.log.info({ runId, sync, status, seconds, rows }, `${sync}: ${status}`);
  }
  if (toSend) await wakeNotifications();
  return result;
}

async function report(
  tx: Db,
  deps: ActivityDependencies,
  result: RunResult,
  { scope, trigger }: { scope: string | null; trigger: string },
): Promise<boolean> {
  const sync = deps.syncs.find(({ name }) => name === result.sync);
  const completed = readSettings(notifySettings, deps.env).NOTIFY_COMPLETED;
  return reportRunEnd(tx, {
    result,
    scope: scope ?? '',
    title: scope === null ? result.sync : await titleOf(tx, deps, result.sync, scope),
    isBackfill: trigger === 'backfill',
    tellCompleted: completed.includes(result.sync) || completed.includes('all'),
    routine: sync?.routineNotices,
  });
}

async function titleOf(
  tx: Db,
  { syncs }: ActivityDependencies,
  name: string,
  scope: string,
): Promise<string> {
  const known = await syncs.find((sync) => sync.name === name)?.scopeTitle?.(tx, scope);
  return `${name}: ${known ?? scope}`;
}
