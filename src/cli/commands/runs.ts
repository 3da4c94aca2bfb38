import { audit } from '../../db/audit.ts';
import { findRuns, listRuns as readRuns, readDecisions, readReviews } from '../../db/run-list.ts';
import { readRunResult } from '../../db/run-result.ts';
import type { Db } from '../../db/connect.ts';
import type { RunId } from '../../domain/ids.ts';
import { cancelRun, decideRun, decisionDone } from '../../temporal/runs.ts';
import { actor, EXIT, UsageError, withSession } from '../context.ts';
import {
  count,
  exitCodeOf,
  paintStatus,
  printJson,
  printLine,
  renderResult,
  renderTable,
} from '../output.ts';
import { renderReview } from './plan.ts';

interface ListOptions {
  readonly sync?: string;
  readonly status?: string;
  readonly limit: string;
  readonly json?: true;
}

interface DecideOptions {
  readonly reason?: string;
  readonly json?: true;
}

/** The history, newest first. */
export async function listRuns(options: ListOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit must be a whole number, not '${options.limit}'.`);
  await withSession(async ({ database }) => {
    const runs = await readRuns(database.db, { sync: options.sync, status: options.status, limit });
    if (options.json) return printJson(runs);
    if (runs.length === 0) {
      const filtered = options.sync !== undefined || options.status !== undefined;
      return printLine(filtered ? 'No run matches.' : 'No runs yet. Start one with: npx durasync run fleet');
    }
    const rows = runs.map((run) => [
      run.run_id,
      run.sync,
      run.kind === 'sync' ? run.trigger : run.kind,
      paintStatus(run.status),
      run.started_at.slice(0, 19).replace('T', ' '),
      run.duration_seconds === null ? '' : `${run.duration_seconds.toFixed(1)} s`,
      count(run.total_rows_processed),
      `${run.success_count}/${run.total_tables}`,
    ]);
    printLine(
      renderTable(['run', 'sync', 'trigger', 'status', 'started (UTC)', 'took', 'rows', 'tables'], rows, [
        'took',
        'rows',
      ]),
    );
  });
}

/** One run with its decisions, and for planned and held runs what was shown. */
export async function showRun(id: string, options: { readonly json?: true }): Promise<void> {
  await withSession(async ({ database, targets }) => {
    const { runId, workflowId } = await oneRun(database.db, id);
    const result = await readRunResult(database.db, runId);
    if (!result) throw new UsageError(`There is no run ${runId}.`);
    const [decisions, reviews] = await Promise.all([
      readDecisions(database.db, runId),
      readReviews(database.db, runId),
    ]);
    if (options.json) return printJson({ ...result, decisions, reviews });
    printLine(renderResult(result));
    const told = result.tables
      .map(({ error }) => error)
      .filter(Boolean)
      .join('\n');
    if (result.error_message && result.error_message !== told) printLine(result.error_message);
    for (const review of reviews) printLine(renderReview(review));
    for (const { at, actor: who, action, reason } of decisions) {
      printLine(`${at} ${who}: ${action}${reason ? ` (${reason})` : ''}`);
    }
    if (targets.temporalUiUrl) {
      const { namespace } = targets.temporal;
      printLine(
        `${targets.temporalUiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}`,
      );
    }
  });
}

/** Approves or rejects a held run and shows what came of it. */
export async function decide(
  decision: 'approve' | 'reject',
  id: string,
  options: DecideOptions,
): Promise<number> {
  return withSession(async ({ client, database }) => {
    const { runId } = await oneRun(database.db, id);
    const { reason } = options;
    await decideRun(client, runId, { decision, by: actor(), reason });
    await audit(database.db, { actor: actor(), action: decision, subject: runId, detail: { reason } });
    await decisionDone(client, runId);
    const result = await readRunResult(database.db, runId);
    if (!result) throw new UsageError(`There is no run ${runId}.`);
    if (options.json) printJson(result);
    else printLine(renderResult(result));
    return decision === 'reject' ? EXIT.ok : exitCodeOf(result);
  });
}

/** Asks a run to stop. */
export async function cancel(id: string, options: DecideOptions): Promise<void> {
  await withSession(async ({ client, database }) => {
    const { runId, workflowId } = await oneRun(database.db, id);
    const result = await readRunResult(database.db, runId);
    if (result?.status !== 'running') {
      throw new UsageError(`Run ${runId} is ${result?.status}; only a running one can be cancelled.`);
    }
    // First, so that the end of the run is not put down to nobody.
    await audit(database.db, {
      actor: actor(),
      action: 'cancel',
      subject: runId,
      detail: { reason: options.reason },
    });
    await cancelRun(client, workflowId, runId);
    if (options.json) printJson({ run_id: runId, cancelled: true });
    else printLine(`run ${runId} stops after the step it is in`);
  });
}

/** The one run whose id begins with these letters. @throws UsageError */
export async function oneRun(db: Db, idPrefix: string): Promise<{ runId: RunId; workflowId: string }> {
  const found = await findRuns(db, idPrefix);
  const [run] = found;
  if (!run) throw new UsageError(`There is no run '${idPrefix}'. See them with: npx durasync runs`);
  if (found.length > 1) throw new UsageError(`Several runs begin with '${idPrefix}'. Give more of the id.`);
  return run;
}
