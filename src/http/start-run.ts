import type { z } from '@hono/zod-openapi';
import { audit } from '../db/audit.ts';
import { readRunResult } from '../db/run-result.ts';
import type { RunSyncInput } from '../domain/contracts.ts';
import type { RunResult } from '../domain/run-result.ts';
import { runTimeoutMs } from '../syncs/define-sync.ts';
import { startRun } from '../temporal/runs.ts';
import type { Api, ConfiguredSync } from './api.ts';
import type { Principal } from './authenticate.ts';
import { failureOf } from './failure-of.ts';
import { ProblemError } from './problems.ts';
import type { startedRunSchema } from './run-schemas.ts';
import { waitForWorkflow } from './wait-for-workflow.ts';

export interface StartRequest {
  readonly sync: ConfiguredSync;
  readonly principal: Principal;
  readonly input: Pick<RunSyncInput, 'kind' | 'tables' | 'full'>;
  readonly wait: boolean;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export type StartAnswer =
  | { readonly outcome: 'ended'; readonly result: RunResult }
  | { readonly outcome: 'started'; readonly run: z.infer<typeof startedRunSchema> };

/**
 * Starts a run by hand, or finds the one under way. Asked to wait, it answers with the result; when the run
 * takes longer than any run may, as without a worker, with the ids.
 *
 * @throws ProblemError sync-off, invalid-request for unknown tables, run-failed
 */
export async function startRunByHand(api: Api, request: StartRequest): Promise<StartAnswer> {
  const { sync, principal, input, wait, signal } = request;
  const { client, database } = api.session;
  const { name, tables } = sync.definition;
  if (sync.off) throw new ProblemError('sync-off', sync.off);
  checkTables(
    input.tables,
    tables.map((table) => table.name),
  );
  const { runId, workflowId, started } = await startRun(client, {
    sync: name,
    ...input,
    trigger: 'manual',
    triggeredBy: principal.actor,
  });
  await audit(database.db, {
    actor: principal.actor,
    action: input.kind === 'plan' ? 'plan' : 'run',
    subject: name,
    detail: { runId, started, tokenId: principal.tokenId },
  });
  const run = { run_id: runId, workflow_id: workflowId, started };
  if (!wait) return { outcome: 'started', run };
  const waited = await waitForWorkflow({
    client,
    result: () => client.workflow.getHandle(workflowId, runId).result(),
    signal,
    timeoutMs: runTimeoutMs(sync.definition, sync.settings),
  });
  if (waited.outcome === 'still-running') return { outcome: 'started', run };
  const result = await readRunResult(database.db, runId);
  if (result) return { outcome: 'ended', result };
  const why = waited.outcome === 'failed' ? failureOf(waited.error).message : 'it left no row';
  throw new ProblemError('run-failed', `Run ${runId} of ${name} failed: ${why}`, { run_id: runId });
}

function checkTables(asked: readonly string[] = [], known: readonly string[]): void {
  const unknown = asked.filter((table) => !known.includes(table));
  if (unknown.length === 0) return;
  const reason = `no such table: ${unknown.join(', ')}. Known: ${known.join(', ')}.`;
  throw new ProblemError('invalid-request', `tables: ${reason}`, {
    errors: [{ in: 'json', parameter: 'tables', reason }],
  });
}
