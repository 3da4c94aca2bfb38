import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Session } from '../installation/session.ts';
import type { ProcessMetrics } from '../metrics/process-metrics.ts';
import { type Api, newRouter } from './api.ts';
import { ProblemError, problemResponse } from './problems.ts';
import { METRICS_TYPE, metricsAccess } from './routes/metrics.ts';
import { type HttpApi, startHttpApi } from './start-http-api.ts';
import { toProblem } from './to-problem.ts';

export interface WorkerMetricsOptions {
  readonly session: Session;
  readonly config: Config;
  readonly log: Logger;
  readonly port: number;
  readonly metrics: ProcessMetrics;
  /** Where Temporal's SDK serves its own, on loopback. */
  readonly sdkUrl: string;
}

const SDK_ANSWER_MS = 3_000;

/**
 * Serves `/metrics` of a worker: what the process sees of itself, and what Temporal's SDK counts. Who may read it is as
 * for the API's.
 *
 * @throws PortTakenError
 */
export function startWorkerMetrics(options: WorkerMetricsOptions): Promise<HttpApi> {
  const { session, config, log, port, metrics, sdkUrl } = options;
  const api: Api = { session, config, syncs: [], log, metrics };
  const app = newRouter();
  app.onError((error, c) => problemResponse(toProblem(error, c.get('requestId'))));
  app.notFound(() => problemResponse(new ProblemError('not-found', 'A worker serves /metrics alone.')));
  app.use('/metrics', metricsAccess(api));
  app.get('/metrics', async (c) => {
    const [own, sdk] = await Promise.all([metrics.text(), readSdk(sdkUrl)]);
    return c.body(`${own}${own.endsWith('\n') ? '' : '\n'}${sdk}`, 200, { 'Content-Type': METRICS_TYPE });
  });
  return startHttpApi({
    app,
    config: { DURASYNC_HOST: config.DURASYNC_HOST, DURASYNC_PORT: port },
    use: { name: 'the metrics of the worker', variable: 'DURASYNC_WORKER_METRICS_PORT' },
  });
}

/** The worker's own metrics are worth having alone. */
async function readSdk(url: string): Promise<string> {
  // Not through undici, whose requests are counted.
  const asked = get(url, { signal: AbortSignal.timeout(SDK_ANSWER_MS) });
  try {
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer.statusCode === 200 ? await text(answer) : '';
  } catch {
    return '';
  }
}
