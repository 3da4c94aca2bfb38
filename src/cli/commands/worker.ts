import { once } from 'node:events';
import type { Client } from '@temporalio/client';
import { buildsFolder } from '../../home/builds.ts';
import { choosePort } from '../../free-port.ts';
import { startWorkerMetrics } from '../../http/start-worker-metrics.ts';
import { watchProcess } from '../../metrics/process-metrics.ts';
import { stepFields } from '../../temporal/step-fields.ts';
import { createAgent } from '../../connectors/http/create-agent.ts';
import { createLog, logForm } from '../../log.ts';
import { connectWorker } from '../../temporal/connect.ts';
import { payloadMode } from '../../temporal/payload-codec.ts';
import { startReconcile, startSweep } from '../../temporal/runs.ts';
import { currentBuild, DEPLOYMENT_NAME } from '../../temporal/versions.ts';
import { createWorkers, installRuntime } from '../../temporal/worker.ts';
import { ensureWorkflowBundle } from '../../temporal/workflow-bundle.ts';
import { printLine } from '../output.ts';
import { withSession } from '../context.ts';

/** Runs a worker until SIGINT or SIGTERM; running steps get five seconds, then another worker has them. */
export async function worker(options: { untilStdinCloses?: true }): Promise<void> {
  await withSession(async (session, { config, home }) => {
    const log = createLog({
      level: config.LOG_LEVEL,
      form: logForm(config.LOG_FORMAT),
      fields: stepFields,
    });
    const port = config.DURASYNC_WORKER_METRICS_PORT;
    const sdkAddress = port === undefined ? undefined : await freeLoopbackAddress();
    installRuntime(log, sdkAddress);
    const http = createAgent({
      privateRedirects: config.DURASYNC_ALLOW_PRIVATE_REDIRECTS ? 'allowed' : 'refused',
    });
    const connection = await connectWorker(session.targets.temporal);
    const { client, database, syncs, targets } = session;
    const metrics = watchProcess(database.pool);
    const workers = await createWorkers({
      connection,
      client,
      dataConverter: targets.temporal.dataConverter,
      database,
      http,
      keys: targets.keys,
      syncs,
      env: targets.env,
      log,
      countFailure: metrics.countFailure,
      buildId: config.DURASYNC_BUILD_ID,
      bundlePath: await ensureWorkflowBundle(await buildsFolder(home), payloadMode(config)),
    });
    const served =
      port === undefined || sdkAddress === undefined
        ? null
        : await startWorkerMetrics({
            session,
            config,
            log,
            port,
            metrics,
            sdkUrl: `http://${sdkAddress}/metrics`,
          });
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    stop.signal.addEventListener('abort', () => printLine('worker is stopping'));
    if (options.untilStdinCloses) process.stdin.once('end', () => stop.abort()).resume();
    await startSweep(client);
    await startReconcile(client);
    printLine(`worker is ready${await versionNote(client, config.DURASYNC_BUILD_ID)}`);
    await Promise.all(workers.map((each) => each.runUntil(once(stop.signal, 'abort'))));
    // An open standard input would keep the process alive.
    process.stdin.destroy();
    await served?.close();
    await connection.close();
    await http.close();
  });
}

/** Where Temporal's SDK serves its metrics; only this process reads them there. */
async function freeLoopbackAddress(): Promise<string> {
  const port = await choosePort({
    use: "the metrics of Temporal's SDK",
    preferred: 29_464,
    fixedBy: null,
  });
  return `127.0.0.1:${port}`;
}

/** A version gets no new runs before somebody makes it the current one. */
async function versionNote(client: Client, buildId: string | undefined): Promise<string> {
  if (buildId === undefined) return '';
  if ((await currentBuild(client)) === buildId) return ` (version ${buildId}, the current one)`;
  return (
    ` (version ${buildId}: new runs begin on it after: temporal worker deployment set-current-version ` +
    `--deployment-name ${DEPLOYMENT_NAME} --build-id ${buildId})`
  );
}
