import type { Selectable } from 'kysely';
import { outcomeOf } from '../src/domain/clients.ts';
import type { FinishedRun, FinishRunInput } from '../src/domain/contracts.ts';
import type { RunResult } from '../src/domain/run-result.ts';
import type { Db } from '../src/db/connect.ts';
import type { Database } from '../src/db/types.ts';
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
export async function endRun(deps: ActivityDependencies, input: FinishRunInput): Promise<FinishedRun> {
  const { database, wakeNotifications } = deps;
  const { result, toSend, isNew, client } = await database.db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('durasync.sync_runs')
      .select(['sync', 'status', 'kind', 'scope', 'trigger', 'triggered_by', 'workflow_id', 'logical_at'])
      .where('run_id', '=', input.runId)
      .forUpdate()
      .executeTakeFirst();
    const ended = await closeRun(tx, input);
    const startedBy = before && clientOf(deps, before);
    if (before?.status === ended.status)
      return { result: ended, toSend: false, isNew: false, client: startedBy };
    const told = before?.kind === 'sync' && (await report(tx, deps, ended, before));
    // A decision ends a run that has been recorded and counted as held.
    if (before?.status === 'running') {
      await startedBy?.recordRun(tx, ended);
      if (before.kind !== 'plan') await countRun(tx, ended);
    }
    // A connection may have been paused with this.
    const mayTell = startedBy !== undefined && ended.status === 'failed';
    return { result: ended, toSend: told || mayTell, isNew: true, client: startedBy };
  });
  if (isNew) {
    const { run_id: runId, sync, status, duration_seconds: seconds, total_rows_processed: rows } = result;
    deps.log.info({ runId, sync, status, seconds, rows }, `${sync}: ${status}`);
  }
  if (toSend) await wakeNotifications();
  return client ? { ...result, client: await client.read() } : result;
}

type RunOfScope = Pick<
  Selectable<Database['durasync.sync_runs']>,
  'sync' | 'kind' | 'scope' | 'trigger' | 'triggered_by' | 'workflow_id' | 'logical_at'
>;

/** The client whose workflow started a run; undefined for a run that somebody else started. */
function clientOf({ syncs, database }: ActivityDependencies, run: RunOfScope) {
  const { scope, trigger, kind } = run;
  const clients = syncs.find(({ name }) => name === run.sync)?.clients;
  if (!clients || scope === null || kind !== 'sync') return undefined;
  if (trigger !== 'schedule' && trigger !== 'signal') return undefined;
  return {
    recordRun: (tx: Db, result: RunResult) =>
      clients.recordRun(tx, scope, {
        runId: result.run_id,
        workflowId: run.workflow_id,
        trigger,
        triggeredBy: run.triggered_by ?? trigger,
        // By the server's clock, which found it due.
        startedAt: run.logical_at.toISOString(),
        ...outcomeOf(result),
      }),
    read: () => clients.readClient(database.db, scope),
  };
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
    readTitle: async () => (scope === null ? result.sync : titleOf(tx, deps, result.sync, scope)),
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
