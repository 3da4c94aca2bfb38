import { sql } from 'kysely';
import type { FinishRunInput, PlanRunInput } from '../domain/contracts.ts';
import { SyncFailure } from '../domain/failures.ts';
import type { RunId } from '../domain/ids.ts';
import type { RunPlan } from '../domain/run-plan.ts';
import { type RunResult, runStatus, type TableStatus } from '../domain/run-result.ts';
import type { Db } from './connect.ts';
import { refuseDuringUndo } from './open-undo.ts';
import { readRunResult, readTablesOfRun, toRunResult } from './run-result.ts';

/**
 * Opens the run's row and a pending row for each table. Safe to repeat.
 *
 * @throws SyncFailure RunEnded when the run has ended before, as when its workflow was reset; UndoOpen
 */
export async function openRun(
  db: Db,
  input: PlanRunInput,
  plan: RunPlan,
  skipped: readonly string[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const opened = await tx
      .insertInto('durasync.sync_runs')
      .values({
        run_id: plan.runId,
        kind: plan.kind,
        sync: plan.sync,
        scope: plan.scope || null,
        workflow_id: input.workflowId,
        trigger: plan.trigger,
        triggered_by: input.triggeredBy ?? null,
        logical_at: plan.logicalAt,
        window_start: plan.window?.from ?? null,
        window_end: plan.window?.to ?? null,
        total_tables: plan.tables.length,
        ...(plan.full ? { metadata: JSON.stringify({ full: true }) } : {}),
      })
      .onConflict((conflict) => conflict.column('run_id').doNothing())
      .returning('status')
      .executeTakeFirst();
    const status = opened?.status ?? (await readStatus(tx, plan.runId));
    if (status !== 'running')
      throw new SyncFailure('RunEnded', `Run ${plan.runId} has ended. Start a new one.`);
    await refuseDuringUndo(tx, plan);
    const rows = [
      ...plan.tables.map(({ table }) => ({ table_name: table, status: 'pending', error_message: null })),
      ...skipped.map((table) => ({
        table_name: table,
        status: 'skipped',
        error_message: 'no URL configured',
      })),
    ];
    await tx
      .insertInto('durasync.sync_run_tables')
      .values(rows.map((row) => ({ run_id: plan.runId, ...row })))
      .onConflict((conflict) => conflict.columns(['run_id', 'table_name']).doNothing())
      .execute();
  });
}

/** What a run's row says; undefined when there is none. */
export async function readStatus(db: Db, runId: RunId): Promise<string | undefined> {
  const run = await db
    .selectFrom('durasync.sync_runs')
    .select('status')
    .where('run_id', '=', runId)
    .executeTakeFirst();
  return run?.status;
}

/** Records how one table of a run ended. Safe to repeat. */
export async function closeTable(...closed: Parameters<typeof closingTable>): Promise<void> {
  await closingTable(...closed).execute();
}

/** What `closeTable` does, for a statement that does more than that. */
export const closingTable = (
  db: Db,
  runId: RunId,
  table: string,
  status: TableStatus,
  message: string | null,
) =>
  db
    .updateTable('durasync.sync_run_tables')
    .set({ status, error_message: message, completed_at: sql<Date>`clock_timestamp()`, stage: null })
    .where('run_id', '=', runId)
    .where('table_name', '=', table);

/**
 * Ends the run's row from what its tables say and returns the result. Safe to repeat; the time of the first
 * end stays, and so does a run that was rejected, cancelled or undone. Why tables are held is kept in
 * `metadata.hold` as `[{ table, reason }]`, also after the decision.
 */
export async function closeRun(db: Db, input: FinishRunInput): Promise<RunResult> {
  const { runId } = input;
  const tables = await endTables(db, input);
  const statuses = tables.map((table) => table.status as TableStatus);
  const messages = tables.filter((table) => table.status === 'failed' || table.status === 'held');
  const held = tables.filter((table) => table.status === 'held');
  const hold = held.map((table) => ({ table: table.table_name, reason: table.error_message }));
  const count = (status: TableStatus): number => statuses.filter((each) => each === status).length;
  const ended = await db
    .updateTable('durasync.sync_runs')
    .set({
      status: input.status ?? runStatus(statuses),
      completed_at: sql<Date>`coalesce(completed_at, clock_timestamp())`,
      success_count: count('completed'),
      failure_count: count('failed'),
      total_rows_processed: tables.reduce((sum, table) => sum + table.staged, 0),
      error_message: input.message ?? (messages.map((table) => table.error_message).join('\n') || null),
      metadata: sql`metadata || ${JSON.stringify({
        enrich: input.enrich,
        derive: input.derive,
        notices: input.notices,
        failure_code: input.failureCode,
        hold: hold.length > 0 ? hold : undefined,
      })}::jsonb`,
    })
    .where('run_id', '=', runId)
    // A decision may come between the start of the hold and the end of the run that is held.
    .where('status', 'not in', ['rejected', 'cancelled', 'undone'])
    .returningAll()
    .executeTakeFirst();
  const result = ended ? toRunResult(ended, tables) : await readRunResult(db, runId);
  if (!result) throw new Error(`run ${runId} has no row`);
  return result;
}

/** Every table of a run that ends, none of which goes on any more. */
async function endTables(db: Db, input: FinishRunInput): ReturnType<typeof readTablesOfRun> {
  // In a run that is stopped, what was held waits for nobody.
  const open = stopped(input) ? ['pending', 'running', 'held'] : ['pending', 'running'];
  const tables = await readTablesOfRun(db, input.runId);
  if (!tables.some(({ status }) => open.includes(status))) return tables;
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ status: 'failed', error_message: input.message ?? 'the run ended before this table did' })
    .where('run_id', '=', input.runId)
    .where('status', 'in', open)
    .execute();
  return readTablesOfRun(db, input.runId);
}

const stopped = ({ status }: FinishRunInput): boolean => status === 'failed' || status === 'cancelled';

/** When the last complete run of a sync began, or null. */
export async function lastCompletedAt(db: Db, sync: string, scope: string): Promise<Date | null> {
  const row = await db
    .selectFrom('durasync.sync_runs')
    .select('started_at')
    .where('sync', '=', sync)
    .where(sql`coalesce(scope, '')`, '=', scope)
    .where('kind', '=', 'sync')
    .where('status', '=', 'completed')
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.started_at ?? null;
}
