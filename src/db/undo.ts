import type pg from 'pg';
import { SyncFailure } from '../domain/failures.ts';
import type { RunId } from '../domain/ids.ts';
import type { TakeBackInput, TookBack, UndoPreview } from '../domain/undo.ts';
import { type DatabaseConnection, type Db, inTransaction } from './connect.ts';
import type { LiveTable } from './live-table.ts';
import { lockTableState, raiseGeneration } from './table-state.ts';
import { ChangedMeanwhileError, takeBackTable } from './undo-apply.ts';
import { type CheckedTable, checkTable } from './undo-check.ts';
import { recordUndo } from './undo-record.ts';
import { type RunToUndo, readRunToUndo, refusalOf } from './undo-refusal.ts';
import { readUndoneTables, type UndoneTable } from './undo-tables.ts';

/** Every table of a sync as the loader sees it. */
export type TablesOf = (sync: string, scope: string) => readonly LiveTable[];

interface Checked {
  readonly run: RunToUndo;
  readonly refusal: string | null;
  readonly parts: readonly { readonly undone: UndoneTable; readonly checked: CheckedTable }[];
}

/**
 * What undoing a run would do, or why it can't be done. Changes nothing.
 *
 * @returns undefined when there is no such run
 */
export async function previewUndo(
  { pool, db }: DatabaseConnection,
  of: RunId,
  tablesOf: TablesOf,
): Promise<UndoPreview | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const run = await readRunToUndo(client, of);
    return run && shown(await check(client, db, { run, tablesOf, undoRunId: null }));
  });
}

/**
 * Takes back what a run wrote, in one transaction for all of its tables: their generations are locked and raised, the
 * rows are as they were, and so are the watermarks; the run is `undone`, the audit log says by whom. When a row was
 * changed since, nothing is. A repeat returns the stored counts.
 *
 * @throws SyncFailure Fenced when somebody changed a row in the middle; the next attempt finds it
 */
export async function takeBack(
  { pool, db }: DatabaseConnection,
  input: TakeBackInput,
  tablesOf: TablesOf,
): Promise<TookBack> {
  const { runId, of } = input;
  try {
    return await inTransaction(pool, async (client) => {
      const run = await readRunToUndo(client, of, 'FOR UPDATE');
      if (!run) throw new SyncFailure('InvalidInput', `There is no run ${of}.`);
      if (run.status === 'undone' && run.undoneBy === runId)
        return { outcome: 'undone', rows: run.undoneRows };
      await lockTables(client, db, run, tablesOf);
      const checked = await check(client, db, { run, tablesOf, undoRunId: runId });
      const preview = shown(checked);
      if (preview.refusal !== null) {
        await recordUndo(client, input, preview, 'refused');
        return { outcome: 'refused', reason: preview.refusal };
      }
      for (const { undone, checked: table } of checked.parts) {
        await takeBackTable(client, db, undone, table, of);
        for (const name of undone.writers) await raiseGeneration(client, db, { ...undone.table, name });
      }
      const rows = await recordUndo(client, input, preview, 'undone');
      return { outcome: 'undone', rows };
    });
  } catch (error) {
    if (!(error instanceof ChangedMeanwhileError)) throw error;
    throw new SyncFailure(
      'Fenced',
      `${error.message}: a row was changed in the middle. The undo looks again.`,
    );
  }
}

/** Keeps every merge and archive out that could write what is undone. In the order of names, as others do. */
async function lockTables(client: pg.PoolClient, db: Db, run: RunToUndo, tablesOf: TablesOf): Promise<void> {
  const undone = await readUndoneTables(client, run.runId, tablesOf(run.sync, run.scope));
  const writers = undone.flatMap((each) => each.writers.map((name) => ({ ...each.table, name })));
  for (const table of writers.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await lockTableState(client, db, table);
  }
}

async function check(
  client: pg.PoolClient,
  db: Db,
  { run, tablesOf, undoRunId }: { run: RunToUndo; tablesOf: TablesOf; undoRunId: RunId | null },
): Promise<Checked> {
  const refusal = await refusalOf(client, run, undoRunId);
  if (refusal !== null) return { run, refusal, parts: [] };
  const parts: { undone: UndoneTable; checked: CheckedTable }[] = [];
  for (const undone of await readUndoneTables(client, run.runId, tablesOf(run.sync, run.scope))) {
    parts.push({ undone, checked: await checkTable(client, db, undone, run.runId) });
  }
  return { run, refusal: null, parts };
}

function shown({ run, refusal, parts }: Checked): UndoPreview {
  const tables = parts.map(({ checked }) => checked);
  const conflictCount = tables.reduce((sum, table) => sum + table.conflictCount, 0);
  return {
    run_id: run.runId,
    sync: run.sync,
    refusal: refusal ?? refusalOfTables(run, tables, conflictCount),
    tables: tables.map(({ table, removed, put_back, unarchived, archived_again, gone }) => ({
      table,
      removed,
      put_back,
      unarchived,
      archived_again,
      gone,
    })),
    conflicts: tables.flatMap(({ conflicts }) => conflicts),
    conflict_count: conflictCount,
    watermarks: run.watermarks,
  };
}

function refusalOfTables(run: RunToUndo, tables: readonly CheckedTable[], conflicts: number): string | null {
  if (conflicts > 0) {
    const rows = conflicts === 1 ? '1 row' : `${conflicts} rows`;
    return `${rows} of run ${run.runId} ${conflicts === 1 ? 'was' : 'were'} changed since. Undo the later runs first, newest first, or correct the rows by hand.`;
  }
  const lost = tables.filter(({ kept }) => !kept).map(({ table }) => table);
  if (lost.length > 0) {
    return `What run ${run.runId} replaced in ${lost.join(', ')} is not kept any more; that is deleted after the retention time.`;
  }
  const rows = tables.reduce((sum, t) => sum + t.removed + t.put_back + t.unarchived + t.archived_again, 0);
  if (rows === 0 && run.watermarks.length === 0) {
    return `Run ${run.runId} changed nothing, so there is nothing to take back.`;
  }
  return null;
}
