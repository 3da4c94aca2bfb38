import type { Selectable } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { RunResult, RunStatus, StepResult, TableResult, TableStatus } from '../domain/run-result.ts';
import type { Db } from './connect.ts';
import type { Database } from './types.ts';

/** What a run has done so far, or did; undefined when there is no such run. */
export async function readRunResult(db: Db, runId: RunId): Promise<RunResult | undefined> {
  const run = await db
    .selectFrom('durasync.sync_runs')
    .selectAll()
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (!run) return undefined;
  return toRunResult(run, await readTablesOfRun(db, runId));
}

/** What is known of each table of a run, in the order of their names. */
export const readTablesOfRun = (db: Db, runId: RunId): Promise<TableRow[]> =>
  db
    .selectFrom('durasync.sync_run_tables')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('table_name')
    .execute();

type RunRow = Selectable<Database['durasync.sync_runs']>;
type TableRow = Selectable<Database['durasync.sync_run_tables']>;

/** The result that the rows of a run and of its tables tell. */
export function toRunResult(run: RunRow, tables: readonly TableRow[]): RunResult {
  const seconds = run.completed_at ? (run.completed_at.getTime() - run.started_at.getTime()) / 1000 : null;
  return {
    run_id: run.run_id as RunId,
    sync: run.sync,
    status: run.status as RunStatus,
    start_time: run.started_at.toISOString(),
    end_time: run.completed_at?.toISOString() ?? null,
    duration_seconds: seconds === null ? null : Math.round(seconds * 100) / 100,
    total_tables: run.total_tables,
    success_count: run.success_count,
    failure_count: run.failure_count,
    total_rows_processed: run.total_rows_processed,
    error_message: run.error_message,
    tables: tables.map((table): TableResult => ({
      table: table.table_name,
      status: table.status as TableStatus,
      success: table.status === 'completed',
      rows_processed: table.staged,
      inserted: table.inserted,
      updated: table.updated,
      unchanged: table.unchanged,
      restored: table.restored,
      archived: table.archived,
      skipped: table.skipped,
      duplicates: table.duplicates,
      quarantined: table.quarantined,
      error: table.error_message,
    })),
    enrich: steps(run.metadata, 'enrich'),
    derive: steps(run.metadata, 'derive'),
    notices: (run.metadata['notices'] as string[] | undefined) ?? [],
  };
}

function steps(metadata: Readonly<Record<string, unknown>>, kind: 'enrich' | 'derive'): StepResult[] {
  return (metadata[kind] as StepResult[] | undefined) ?? [];
}

/** How far one table of a run is. */
export interface RunProgress {
  readonly table: string;
  readonly status: TableStatus;
  /** What is being done with it; null before the first step and after the last. */
  readonly stage: string | null;
  readonly fetched: number;
  readonly quarantined: number;
}

/** How far a run is, a row for each table; empty before the run has opened its rows. */
export async function readRunProgress(db: Db, runId: RunId): Promise<RunProgress[]> {
  const rows = await db
    .selectFrom('durasync.sync_run_tables')
    .select(['table_name as table', 'status', 'stage', 'fetched', 'quarantined'])
    .where('run_id', '=', runId)
    .orderBy('table_name')
    .execute();
  return rows.map((row) => ({ ...row, status: row.status as TableStatus }));
}
