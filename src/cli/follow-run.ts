import type { RunResult } from '../domain/run-result.ts';
import { findTargets, openSession, type Session } from '../installation/session.ts';
import { readPendingWork } from '../temporal/pending-work.ts';
import { commandContext, EXIT, UsageError } from './context.ts';
import { stopRequest } from './stop-request.ts';
import { watchRun } from './watch-run.ts';

/** Shows a run on standard error until it has ended. */
export function follow(
  session: Session,
  { workflowId, runId }: { workflowId: string; runId: RunResult['run_id'] },
): Promise<RunResult> {
  const { client, database, stopped } = session;
  return watchRun({
    db: database.db,
    runId,
    stream: process.stderr,
    signal: stopped,
    workflowResult: untilStopped(session, () => client.workflow.getHandle(workflowId, runId).result()),
    pendingWork: () => readPendingWork(client, workflowId, runId),
  });
}

/** Waits for Temporal for as long as this process is not asked to stop. */
export function untilStopped<T>({ client, stopped }: Session, wait: () => Promise<T>): Promise<T> {
  return stopped ? client.withAbortSignal(stopped, wait) : wait();
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
  const stop = stopRequest();
  const { startInstallation } = await import('../installation/start.ts');
  const installation = await startInstallation({
    config,
    home,
    env,
    say,
    onGivenUp: (message) => {
      say(message);
      stop.request();
    },
    signal: stop.signal,
  });
  const interrupted = stop.requested.then(() => {
    say('stopping; a run that is under way goes on when everything is started again');
    return EXIT.failed;
  });
  return Promise.race([work({ ...installation.session, stopped: stop.signal }), interrupted]).finally(() =>
    installation.stop(),
  );
}
