import { createApp } from '../../http/app.ts';
import { loadDashboard } from '../../http/dashboard-files.ts';
import { startHttpApi } from '../../http/start-http-api.ts';
import { createLog } from '../../log.ts';
import { withSession } from '../context.ts';
import { printLine } from '../output.ts';

/** Serves the HTTP API and the dashboard until SIGINT or SIGTERM. */
export async function api(): Promise<void> {
  await withSession(async (session, { config, home }) => {
    const log = createLog({ level: config.LOG_LEVEL, form: process.stderr.isTTY ? 'pretty' : 'json' });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const dashboard = await loadDashboard(home.path('cache'), (message) => log.error(message));
    const served = await startHttpApi({ app: createApp({ session, config, log, dashboard }), config });
    printLine(`Dashboard and HTTP API are ready at ${served.url}, described at ${served.url}/openapi.json`);
    await stopped;
    await served.close();
  });
}
