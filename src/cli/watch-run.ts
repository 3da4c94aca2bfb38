import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import type { Db } from '../db/connect.ts';
import { readRunResult, type RunProgress, readRunProgress } from '../db/run-result.ts';
import type { RunId } from '../domain/ids.ts';
import type { RunResult } from '../domain/run-result.ts';
import { count, paintStatus, renderTable } from './output.ts';

const POLL_MS = 200;
const PLAIN_EVERY_MS = 5_000;

export interface WatchOptions {
  readonly db: Db;
  readonly runId: RunId;
  /** Where the live view goes; null for none. */
  readonly stream: NodeJS.WriteStream | null;
  /** Fails when the workflow ends without ever having opened its row, as for an unknown sync. */
  readonly workflowResult: Promise<unknown>;
}

/** Waits until a run has ended, showing each table's stage and rows while it goes on. */
export async function watchRun({ db, runId, stream, workflowResult }: WatchOptions): Promise<RunResult> {
  const view = stream ? createLogUpdate(stream) : null;
  let ended = false;
  const done = workflowResult.finally(() => {
    ended = true;
  });
  done.catch(() => undefined);
  let lastPlainAt = Date.now();
  while (!ended) {
    const progress = await readRunProgress(db, runId).catch(() => []);
    if (view && stream?.isTTY) view(renderProgress(progress));
    else if (stream && Date.now() - lastPlainAt > PLAIN_EVERY_MS) {
      stream.write(`${plainProgress(progress)}\n`);
      lastPlainAt = Date.now();
    }
    await Promise.race([sleep(POLL_MS), done.catch(() => undefined)]);
  }
  view?.clear();
  await done.catch(async (error: unknown) => {
    if (!(await readRunResult(db, runId))) throw error;
  });
  const result = await readRunResult(db, runId);
  if (!result) throw new Error(`run ${runId} left no row`);
  return result;
}

function renderProgress(progress: readonly RunProgress[]): string {
  const rows = progress.map((table) => [
    table.table,
    table.stage ? colors.cyan(table.stage) : paintStatus(table.status),
    count(table.fetched),
    table.quarantined > 0 ? count(table.quarantined) : '',
  ]);
  return renderTable(['table', 'stage', 'rows', 'quarantined'], rows, ['rows', 'quarantined']);
}

function plainProgress(progress: readonly RunProgress[]): string {
  return progress
    .map((table) => `${table.table} ${table.stage ?? table.status} ${count(table.fetched)}`)
    .join(', ');
}
