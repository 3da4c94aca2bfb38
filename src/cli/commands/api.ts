import { createApp } from '../../http/app.ts';
import { startHttpApi } from '../../http/start-http-api.ts';
import { createLog } from '../../log.ts';
import { withSession } from '../context.ts';
import { printLine } from '../output.ts';

/** Serves the HTTP API until SIGINT or SIGTERM. */
export async function api(): Promise<void> {
  await withSession(async (session, { config }) => {
    const log = createLog({ level: config.LOG_LEVEL, form: process.stderr.isTTY ? 'pretty' : 'json' });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    const served = await startHttpApi({ app: createApp({ session, config, log }), config });
    printLine(`HTTP API is ready at ${served.url}, described at ${served.url}/openapi.json`);
    await stopped;
    await served.close();
  });
}
