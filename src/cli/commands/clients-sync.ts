import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { RequestAnswer } from '../../domain/clients.ts';
import type { RunResult } from '../../domain/run-result.ts';
import { type ForcedClient, forceClient, forceClients, showRun } from '../../installation/force-clients.ts';
import type { Session } from '../../installation/session.ts';
import { actor, EXIT, UsageError, withSession } from '../context.ts';
import { followClientRun } from '../follow-client-run.ts';
import { withRunningEngines } from '../follow-run.ts';
import { exitCodeOf, printJson, printLine, renderResult, renderTable } from '../output.ts';
import { platformNamed } from './clients.ts';

export interface SyncOptions {
  readonly platform?: string;
  readonly all?: true;
  readonly force?: true;
  readonly wait: boolean;
  readonly json?: true;
}

/** Lets one client sync now and shows how that ended, or asks all. Returns the exit code. */
export async function sync(id: string | undefined, options: SyncOptions): Promise<number> {
  const platform = options.platform === undefined ? undefined : platformNamed(options.platform);
  if (id === undefined) {
    if (!options.all)
      throw new UsageError('Name a client, or sync all that are due with: clients sync --all');
    return withSession((session) => syncAll(session, platform, options));
  }
  if (options.all) throw new UsageError('Name a client or give --all, not both.');
  return withRunningEngines((session) => syncOne(session, id, platform, options), options.wait);
}

type PlatformOption = Parameters<typeof forceClient>[3];

async function syncOne(
  session: Session,
  id: string,
  platform: PlatformOption,
  { wait, json }: SyncOptions,
): Promise<number> {
  const answer = await forceClient(session, { actor: actor() }, id, platform).catch((error: unknown) => {
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
    throw new Error(
      `The workflow of client ${id} does not answer. Is a worker running? See: npx durasync status`,
    );
  });
  if (!wait) {
    if (json) printJson(shown(id, answer, []));
    else for (const run of answer.runs) printLine(`${run.state}: ${run.workflowId}`);
    return EXIT.ok;
  }
  const results: RunResult[] = [];
  for (const run of answer.runs) {
    const result = await followClientRun(session, id, run);
    results.push(result);
    if (!json) printLine(renderResult(result));
  }
  if (json) printJson(shown(id, answer, results));
  return Math.max(...results.map(exitCodeOf));
}

/** The answer in the words of the HTTP API, with the result of each run that ended. */
function shown(id: string, { workflowId, state, runs }: RequestAnswer, results: readonly RunResult[]) {
  return {
    client_id: id,
    state,
    workflow_id: workflowId,
    runs: runs.map((run, index) => ({ ...showRun(run), result: results[index] ?? null })),
  };
}

async function syncAll(
  session: Session,
  platform: PlatformOption,
  { force, json }: SyncOptions,
): Promise<number> {
  const which = force ? 'all' : 'due';
  const forced = await forceClients(session, { actor: actor() }, { which, platform });
  const of = (state: ForcedClient['state']): number =>
    forced.filter((client) => client.state === state).length;
  if (json) {
    printJson(
      forced.map(({ clientId, state, reason, runs }) => ({
        client_id: clientId,
        state,
        reason,
        runs: runs.map(showRun),
      })),
    );
  } else {
    const rows = forced.map(({ clientId, state, reason }) => [
      clientId,
      state.replace('_', ' '),
      reason ?? '',
    ]);
    printLine(renderTable(['client', 'state', 'why'], rows));
    printLine(
      `${of('started')} started, ${of('queued')} queued, ${of('not_due')} not due, ${of('refused')} refused`,
    );
  }
  return of('refused') > 0 ? EXIT.failed : EXIT.ok;
}
