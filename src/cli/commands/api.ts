import { buildsFolder } from '../../home/builds.ts';
import { createApp } from '../../http/app.ts';
import { loadDashboard } from '../../http/dashboard-files.ts';
import { startHttpApi } from '../../http/start-http-api.ts';
import { createLog, logForm } from '../../log.ts';
import { watchProcess } from '../../metrics/process-metrics.ts';
import { withSession } from '../context.ts';
import { printLine } from '../output.ts';

/** Serves the HTTP API and the dashboard until SIGINT or SIGTERM. */
export async function api(): Promise<void> {
  await withSession(async (session, { config, home }) => {
    const log = createLog({ level: config.LOG_LEVEL, form: logForm(config.LOG_FORMAT) });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const dashboard = await loadDashboard(await buildsFolder(home), (message) => log.error(message));
    const metrics = watchProcess(session.database.pool);
    const app = createApp({ session, config, log, metrics, dashboard });
    const served = await startHttpApi({ app, config });
    printLine(`Dashboard and HTTP API are ready at ${served.url}, described at ${served.url}/openapi.json`);
    await stopped;
    await served.close();
  });
}
