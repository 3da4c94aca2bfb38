import type { FinishRunInput } from '../src/domain/contracts.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import type { Db } from '../src/db/connect.ts';
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
  const { result, toSend } = await database.db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('durasync.sync_runs')
      .select(['status', 'kind', 'scope'])
      .where('run_id', '=', input.runId)
      .forUpdate()
      .executeTakeFirst();
    const ended = await closeRun(tx, input);
    if (before?.kind !== 'sync' || before.status === ended.status) return { result: ended, toSend: false };
    const scope = before.scope ?? '';
    const sync = deps.syncs.find(({ name }) => name === ended.sync);
    const completed = readSettings(notifySettings, deps.env).NOTIFY_COMPLETED;
    return {
      result: ended,
      toSend: await reportRunEnd(tx, {
        result: ended,
        scope,
        title: scope === '' ? ended.sync : await titleOf(tx, deps, ended.sync, scope),
        tellCompleted: completed.includes(ended.sync) || completed.includes('all'),
        routine: sync?.routineNotices,
      }),
    };
  });
  if (toSend) await wakeNotifications();
  return result;
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
