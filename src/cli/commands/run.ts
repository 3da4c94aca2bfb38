import type { RunSyncInput } from '../../domain/contracts.ts';
import type { RunResult } from '../../domain/run-result.ts';
import { audit } from '../../db/audit.ts';
import { readRunResult } from '../../db/run-result.ts';
import { findTargets, openSession, type Session } from '../../installation/session.ts';
import { startInstallation } from '../../installation/start.ts';
import { decisionDone, startRun } from '../../temporal/runs.ts';
import { actor, commandContext, EXIT, UsageError } from '../context.ts';
import { exitCodeOf, printJson, printLine, renderResult } from '../output.ts';
import { watchRun } from '../watch-run.ts';

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
    const started = await startRun(session.client, input);
    if (!options.wait) {
      const ids = { run_id: started.runId, workflow_id: started.workflowId };
      if (options.json) printJson(ids);
      else printLine(`run ${started.runId} ${started.started ? 'started' : 'was already under way'}`);
      return EXIT.ok;
    }
    await audit(session.database.db, {
      actor: actor(),
      action: 'run',
      subject: sync,
      detail: { runId: started.runId },
    });
    if (!started.started) process.stderr.write(`run ${started.runId} is already under way; waiting for it\n`);
    let result = await follow(session, started);
    if (result.status === 'held' && options.waitDecision) {
      process.stderr.write(`held; waiting for a decision about run ${started.runId}\n`);
      await decisionDone(session.client, started.runId);
      result = (await readRunResult(session.database.db, started.runId)) ?? result;
    }
    if (options.json) printJson(result);
    else printLine(renderResult(result));
    return exitCodeOf(result);
  }, options.wait);
}

/** Shows a run on standard error until it has ended. */
export function follow(
  session: Session,
  { workflowId, runId }: { workflowId: string; runId: RunResult['run_id'] },
): Promise<RunResult> {
  return watchRun({
    db: session.database.db,
    runId,
    stream: process.stderr,
    workflowResult: session.client.workflow.getHandle(workflowId, runId).result(),
  });
}

/**
 * Works with what runs already; when nothing does, starts the embedded engines and a worker for the duration.
 *
 * @throws UsageError when nothing runs and the caller would not stay to see the run end
 */
export async function withRunningEngines(
  work: (session: Session) => Promise<number>,
  stays = true,
): Promise<number> {
  const { config, home, env } = await commandContext();
  const targets = await findTargets(config, home, env);
  if (targets) {
    const session = await openSession(targets, 'durasync command');
    return work(session).finally(() => session.close());
  }
  if (!stays)
    throw new UsageError('Nothing is running that could carry on with the run. Start it with: npm start');
  const say = (message: string): void => void process.stderr.write(`${message}\n`);
  const installation = await startInstallation({ config, home, env, say, onGivenUp: say });
  const interrupted = new Promise<number>((resolve) => {
    process.once('SIGINT', () => resolve(EXIT.failed));
    process.once('SIGTERM', () => resolve(EXIT.failed));
  });
  return Promise.race([work(installation.session), interrupted]).finally(() => installation.stop());
}

function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`${option} must be a whole number of 1 or more, not '${text}'.`);
  return value;
}
