import { open } from 'node:fs/promises';
import { buildsFolder } from '../home/builds.ts';
import type { Config } from '../config.ts';
import { migrateToLatest } from '../db/migrate.ts';
import { startDemoSourceServer } from '../demo/demo-source-server.ts';
import type { Home } from '../home/home.ts';
import { takeOwnership } from '../home/ownership.ts';
import { removeRuntime, type Runtime, writeRuntime } from '../home/runtime.ts';
import { openKeyRing } from '../key-ring.ts';
import type { Environment } from '../settings.ts';
import { syncs } from '../syncs/index.ts';
import { payloadMode } from '../temporal/payload-codec.ts';
import { applySchedules } from '../temporal/schedules.ts';
import { ensureWorkflowBundle } from '../temporal/workflow-bundle.ts';
import { startPostgres, startTemporal } from './engines.ts';
import { modeOf, STORES } from './mode.ts';
import { findTargets, openSession, type Session } from './session.ts';
import { supervise } from './supervise.ts';
import { startWorkerProcess } from './worker-process.ts';

export interface StartOptions {
  readonly config: Config;
  readonly home: Home;
  readonly env: Environment;
  /** Told each step of the start, and later what happens to the engines. */
  readonly say: (message: string) => void;
  /** Ends a start that is under way after its present step. */
  readonly signal?: AbortSignal;
  /** An engine could not be kept alive; everything should stop with this message. */
  readonly onGivenUp: (message: string) => void;
}

/** Everything that one `npm start` runs, except the HTTP API. */
export interface Installation {
  readonly runtime: Runtime;
  readonly session: Session;
  /** Tells other commands where the HTTP API is. */
  announceApi(apiUrl: string): Promise<void>;
  /** Stops the worker first and the engines last. Safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Takes the home and starts what is not configured: PostgreSQL, Temporal, the demo sources; then migrates,
 * applies the schedules and starts a worker. What was started is stopped again when a later step fails.
 *
 * @throws the signal's reason, HomeTakenError, PortTakenError, EmbeddedPostgresError, EmbeddedTemporalError, TemporalCliError
 */
export async function startInstallation(options: StartOptions): Promise<Installation> {
  const { config, home, env, say, signal } = options;
  const mode = modeOf(config, syncs, env);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    const ownership = await takeOwnership(home);
    stops.push(() => ownership.release());
    // Made at the first start, so that what is sealed later can be opened by every later one.
    await openKeyRing(config, home);
    const bundling = ensureWorkflowBundle(await buildsFolder(home), payloadMode(config));
    bundling.catch(() => undefined);
    const engines = await startEngines(options, stops);
    const demo = mode === 'demo' ? await startDemoSourceServer({ port: 0, now: () => new Date() }) : null;
    if (demo) stops.push(() => demo.close());
    signal?.throwIfAborted();
    let runtime: Runtime = {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      mode,
      databaseUrl: config.DATABASE_URL ?? engines.databaseUrl(STORES[mode].database),
      temporalAddress: config.TEMPORAL_ADDRESS ?? engines.temporalAddress(),
      temporalNamespace: config.TEMPORAL_ADDRESS ? config.TEMPORAL_NAMESPACE : STORES[mode].namespace,
      temporalUiUrl: engines.temporalUiUrl(),
      apiUrl: null,
      demoSourceUrl: demo?.url ?? null,
    };
    await writeRuntime(home, runtime);
    stops.push(() => removeRuntime(home));
    const targets = await findTargets(config, home, env);
    if (!targets) throw new Error('the engines are started but their addresses are unknown');
    const applied = await migrateToLatest(runtime.databaseUrl, say);
    if (applied.length > 0) say(`database migrated: ${applied.join(', ')}`);
    const session = await openSession(targets, 'durasync');
    stops.push(() => session.close());
    await applySchedules({ client: session.client, syncs, env: targets.env });
    await bundling;
    signal?.throwIfAborted();
    const worker = await startWorker(options);
    stops.push(() => worker.stop());
    say('worker is ready');
    return {
      runtime,
      session,
      announceApi: async (apiUrl) => {
        runtime = { ...runtime, apiUrl };
        await writeRuntime(home, runtime);
      },
      stop,
    };
  } catch (error) {
    await stop();
    // Ctrl-C also ends the programs that this step ran, which is not what went wrong.
    throw signal?.aborted ? signal.reason : error;
  }
}

interface Engines {
  databaseUrl(database: string): string;
  temporalAddress(): string;
  temporalUiUrl(): string | null;
}

async function startEngines(
  { config, home, env, say, onGivenUp }: StartOptions,
  stops: (() => Promise<unknown>)[],
): Promise<Engines> {
  // Everybody knows an engine by the address of its first start, so a restart keeps the ports.
  let ports = config;
  const [postgres, temporal] = await Promise.allSettled([
    config.DATABASE_URL
      ? null
      : supervise({
          name: 'PostgreSQL',
          start: async () => {
            const started = await startPostgres(ports, home, say);
            ports = { ...ports, DURASYNC_PG_PORT: started.port };
            return started;
          },
          say,
          logFile: home.path('logs', 'postgres.log'),
          onGivenUp,
        }),
    config.TEMPORAL_ADDRESS
      ? null
      : supervise({
          name: 'Temporal',
          start: async () => {
            const started = await startTemporal(ports, home, env, say);
            const [port, uiPort] = [`http://${started.address}`, started.uiUrl].map(portOf);
            ports = { ...ports, DURASYNC_TEMPORAL_PORT: port, DURASYNC_TEMPORAL_UI_PORT: uiPort };
            return started;
          },
          say,
          logFile: home.path('logs', 'temporal.log'),
          onGivenUp,
        }),
  ]);
  for (const engine of [postgres, temporal]) {
    if (engine.status === 'fulfilled' && engine.value)
      stops.push(() => engine.value?.stop() ?? Promise.resolve());
  }
  if (postgres.status === 'rejected') throw postgres.reason;
  if (temporal.status === 'rejected') throw temporal.reason;
  return {
    databaseUrl: (database) => postgres.value?.current().databaseUrl(database) ?? '',
    temporalAddress: () => temporal.value?.current().address ?? '',
    temporalUiUrl: () => config.TEMPORAL_UI_URL ?? temporal.value?.current().uiUrl ?? null,
  };
}

const portOf = (url: string): number => Number(new URL(url).port);

async function startWorker({ home, env, say, onGivenUp }: StartOptions) {
  const logFile = home.path('logs', 'worker.log');
  const log = await open(logFile, 'a', 0o600);
  return supervise({
    name: 'The worker',
    start: () => startWorkerProcess({ ...env, DURASYNC_HOME: home.dir }, log.fd),
    say,
    logFile,
    onGivenUp,
  });
}
