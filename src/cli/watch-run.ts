import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import type { Db } from '../db/connect.ts';
import { readRunResult, type RunProgress, readRunProgress } from '../db/run-result.ts';
import type { RunId } from '../domain/ids.ts';
import type { RunResult } from '../domain/run-result.ts';
import { count, paintStatus, renderTable } from './output.ts';

const POLL_MS = 200;
/** Asking Temporal costs more than asking the database. */
const PENDING_EVERY_MS = 1_000;
const PLAIN_EVERY_MS = 5_000;

export interface WatchOptions {
  readonly db: Db;
  readonly runId: RunId;
  /** Where progress goes: redrawn in place in a terminal, else a line every five seconds. */
  readonly stream: NodeJS.WriteStream;
  /** Fails when the workflow ends without ever having opened its row, as for an unknown sync. */
  readonly workflowResult: Promise<unknown>;
  /** Ends the watching, with its reason. */
  readonly signal?: AbortSignal;
  /** What the open steps say of themselves, a line each. */
  pendingWork(): Promise<readonly string[]>;
}

/** Waits until a run has ended, showing each table's stage and rows and each step's progress meanwhile. */
export async function watchRun(options: WatchOptions): Promise<RunResult> {
  const { db, runId, workflowResult, signal } = options;
  let ended = false;
  const done = workflowResult.finally(() => {
    ended = true;
  });
  done.catch(() => undefined);
  const show = progressView(options);
  let pending: readonly string[] = [];
  let askedAt = 0;
  while (!ended) {
    if (Date.now() - askedAt >= PENDING_EVERY_MS) {
      pending = await options.pendingWork();
      askedAt = Date.now();
    }
    const progress = await readRunProgress(db, runId).catch(() => []);
    if (!ended) show.update(progress, pending);
    await Promise.race([sleep(POLL_MS), done.catch(() => undefined)]);
  }
  if (signal?.aborted) show.leave();
  signal?.throwIfAborted();
  show.clear();
  await done.catch(async (error: unknown) => {
    if (!(await readRunResult(db, runId))) throw error;
  });
  const result = await readRunResult(db, runId);
  if (!result) throw new Error(`run ${runId} left no row`);
  return result;
}

interface ProgressView {
  update(progress: readonly RunProgress[], pending: readonly string[]): void;
  /** Takes the view away, to make place for the result. */
  clear(): void;
  /** Leaves it as it is; what is written later comes below. */
  leave(): void;
}

function progressView({ stream }: WatchOptions): ProgressView {
  return stream.isTTY ? terminalView(stream) : plainView(stream);
}

function terminalView(stream: NodeJS.WriteStream): ProgressView {
  const view = createLogUpdate(stream);
  return {
    update: (progress, pending) => view([renderProgress(progress), ...pending.map(colors.dim)].join('\n')),
    clear: () => view.clear(),
    leave: () => view.done(),
  };
}

function plainView(stream: NodeJS.WriteStream): ProgressView {
  let writtenAt = Date.now();
  return {
    update: (progress, pending) => {
      if (Date.now() - writtenAt < PLAIN_EVERY_MS) return;
      stream.write(`${[...progress.map(plainProgress), ...pending].join(', ')}\n`);
      writtenAt = Date.now();
    },
    clear: () => undefined,
    leave: () => undefined,
  };
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

const plainProgress = ({ table, stage, status, fetched }: RunProgress): string =>
  `${table} ${stage ?? status} ${count(fetched)}`;
