import { sql } from 'kysely';
import { SyncFailure } from '../domain/failures.ts';
import type { RunPlan } from '../domain/run-plan.ts';
import type { PlanUndoInput } from '../domain/undo.ts';
import { type DatabaseConnection, type Db, inTransaction } from './connect.ts';
import { readRunToUndo, refusalOf, type RunToUndo } from './undo-refusal.ts';

/** What keeps runs of one sync and scope from opening while an undo of it opens, and the other way round. */
const lockKey = (sync: string, scope: string): string => `durasync undo/${sync}/${scope}`;

/**
 * Lets a run open only while no undo of its sync is under way: it would read from a watermark that is about to move
 * back. Call it in the transaction that opens the run, after its row is written.
 *
 * @throws SyncFailure UndoOpen; the step is tried again until the undo has ended
 */
export async function refuseDuringUndo(tx: Db, { sync, scope, kind }: RunPlan): Promise<void> {
  if (kind === 'plan') return;
  await sql`SELECT pg_advisory_xact_lock_shared(hashtextextended(${lockKey(sync, scope)}, 0))`.execute(tx);
  const { rows } = await sql<{ run_id: string }>`
    SELECT run_id FROM durasync.sync_runs
    WHERE sync = ${sync} AND coalesce(scope, '') = ${scope} AND status = 'running' AND kind = 'undo' LIMIT 1`.execute(
    tx,
  );
  if (rows[0]) {
    throw new SyncFailure(
      'UndoOpen',
      `Run ${rows[0].run_id} undoes a run of ${sync}. This one waits for it.`,
    );
  }
}

/**
 * Opens the row of a run that undoes another. Safe to repeat.
 *
 * @param plan makes the plan once the run to undo is known
 * @throws SyncFailure InvalidInput when there is no such run or it can't be undone; RunEnded
 */
export async function openUndo(
  { pool }: DatabaseConnection,
  input: PlanUndoInput,
  plan: (of: RunToUndo) => RunPlan,
): Promise<RunPlan> {
  return inTransaction(pool, async (client) => {
    const of = input.of as RunToUndo['runId'];
    const found = await readRunToUndo(client, of);
    if (!found) throw new SyncFailure('InvalidInput', `There is no run ${of}. See: npx durasync runs`);
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      lockKey(found.sync, found.scope),
    ]);
    const made = plan(found);
    await client.query(
      `INSERT INTO durasync.sync_runs
         (run_id, kind, sync, scope, workflow_id, trigger, triggered_by, logical_at, metadata)
       VALUES ($1, 'undo', $2, $3, $4, 'manual', $5, $6, $7) ON CONFLICT (run_id) DO NOTHING`,
      [
        input.runId,
        found.sync,
        found.scope || null,
        input.workflowId,
        input.triggeredBy ?? null,
        input.logicalAt,
        { undo: { of, reason: input.reason } },
      ],
    );
    const { rowCount } = await client.query(
      `SELECT FROM durasync.sync_runs WHERE run_id = $1 AND status = 'running'`,
      [input.runId],
    );
    if (rowCount === 0) throw new SyncFailure('RunEnded', `Run ${input.runId} has ended. Start a new one.`);
    const refusal = await refusalOf(client, found, input.runId);
    if (refusal !== null) throw new SyncFailure('InvalidInput', refusal);
    return made;
  });
}
