import type { Config } from '../config.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import type { Home } from '../home/home.ts';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../temporal/embedded-server.ts';
import { findTemporalCli } from '../temporal/install-cli.ts';
import type { Environment } from '../settings.ts';
import { STORES } from './mode.ts';

const fixed = (variable: string, port: number | undefined) =>
  port === undefined ? null : { variable, port };

/** Starts the embedded PostgreSQL of a home, with a database for each mode. */
export async function startPostgres(
  config: Config,
  home: Home,
  log: (message: string) => void,
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir: home.path('postgres', 'data'),
    port: { use: 'PostgreSQL', preferred: 5433, fixedBy: fixed('DURASYNC_PG_PORT', config.DURASYNC_PG_PORT) },
    logFile: home.path('logs', 'postgres.log'),
    log,
  });
  for (const { database } of Object.values(STORES)) await postgres.ensureDatabase(database);
  return postgres;
}

/** Finds or installs the Temporal CLI and starts its dev server, with a namespace for each mode. */
export async function startTemporal(
  config: Config,
  home: Home,
  env: Environment,
  log: (message: string) => void,
): Promise<EmbeddedTemporal> {
  const cliPath = await findTemporalCli({ env, homeDir: home.dir, onProgress: log });
  return startEmbeddedTemporal({
    cliPath,
    dataDir: home.path('temporal'),
    state: 'kept',
    port: {
      use: 'Temporal',
      preferred: 7233,
      fixedBy: fixed('DURASYNC_TEMPORAL_PORT', config.DURASYNC_TEMPORAL_PORT),
    },
    uiPort: {
      use: 'the Temporal Web UI',
      preferred: 8233,
      fixedBy: fixed('DURASYNC_TEMPORAL_UI_PORT', config.DURASYNC_TEMPORAL_UI_PORT),
    },
    namespaces: Object.values(STORES).map(({ namespace }) => namespace),
    logFile: home.path('logs', 'temporal.log'),
    log,
  });
}
