import type { RunSyncInput } from '../../domain/contracts.ts';
import { audit } from '../../db/audit.ts';
import { readRunResult } from '../../db/run-result.ts';
import { readSettings } from '../../settings.ts';
import { checkRequest } from '../../syncs/check-request.ts';
import { decisionDone, startRun } from '../../temporal/runs.ts';
import { actor, EXIT, requireSync, UsageError } from '../context.ts';
import { follow, untilStopped, withRunningEngines } from '../follow-run.ts';
import { exitCodeOf, printJson, printLine, renderResult } from '../output.ts';

export interface RunOptions {
  readonly table: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly days?: string;
  readonly full?: true;
  readonly wait: boolean;
  readonly waitDecision?: true;
  readonly json?: true;
}

/** Starts a run and shows it to its end. Returns the exit code. */
export async function run(sync: string, options: RunOptions): Promise<number> {
  const definition = requireSync(sync);
  const input: RunSyncInput = {
    sync,
    tables: options.table.length > 0 ? options.table : undefined,
    from: options.from,
    to: options.to,
    days: options.days === undefined ? undefined : positiveNumber('--days', options.days),
    full: options.full,
    trigger: 'manual',
    triggeredBy: actor(),
  };
  return withRunningEngines(async (session) => {
    checkRequest(definition, readSettings(definition.settings, session.targets.env), input);
    const started = await startRun(session.client, input);
    await audit(session.database.db, {
      actor: actor(),
      action: 'run',
      subject: sync,
      detail: { runId: started.runId },
    });
    if (!options.wait) {
      const ids = { run_id: started.runId, workflow_id: started.workflowId };
      if (options.json) printJson(ids);
      else printLine(`run ${started.runId} ${started.started ? 'started' : 'was already under way'}`);
      return EXIT.ok;
    }
    if (!started.started) process.stderr.write(`run ${started.runId} is already under way; waiting for it\n`);
    let result = await follow(session, started);
    if (result.status === 'held' && options.waitDecision) {
      process.stderr.write(`held; waiting for a decision about run ${started.runId}\n`);
      await untilStopped(session, () => decisionDone(session.client, started.runId));
      result = (await readRunResult(session.database.db, started.runId)) ?? result;
    }
    if (options.json) printJson(result);
    else printLine(renderResult(result));
    return exitCodeOf(result);
  }, options.wait);
}

function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`${option} must be a whole number of 1 or more, not '${text}'.`);
  return value;
}
