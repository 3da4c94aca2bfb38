import type { Client } from '@temporalio/client';
import type { Config } from '../config.ts';
import { connectDatabase, type DatabaseConnection } from '../db/connect.ts';
import { demoSettings } from '../demo/demo-settings.ts';
import type { Home } from '../home/home.ts';
import { readRuntime, type Runtime } from '../home/runtime.ts';
import { type KeyRing, openKeyRing } from '../key-ring.ts';
import { ConfigurationError, type Environment } from '../settings.ts';
import { syncs } from '../syncs/index.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { payloadMode } from '../temporal/payload-codec.ts';
import { connectTemporal, type TemporalTarget, temporalTarget } from '../temporal/connect.ts';
import { type Mode, STORES } from './mode.ts';

/** Nothing runs that a command could attach to; the message says how to start it. */
class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** Where everything is that a command talks to. */
export interface Targets {
  readonly mode: Mode;
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
  readonly temporalUiUrl: string | null;
  readonly apiUrl: string | null;
  /** The variables that the syncs read: the process's own, and in demo mode the demo sources'. */
  readonly env: Environment;
  /** For the secrets in the database. */
  readonly keys: KeyRing;
}

/**
 * The engines that variables name; those of the home's running owner for the rest; null when some are nowhere.
 *
 * @throws ConfigurationError when the variables and what runs in the home name different engines: a run would be
 * split between two databases, or demo rows would meet real ones
 */
export async function findTargets(config: Config, home: Home, env: Environment): Promise<Targets | null> {
  const bothSet = config.DATABASE_URL !== undefined && config.TEMPORAL_ADDRESS !== undefined;
  const running = await readRuntime(home);
  if (running && !bothSet) refuseMixture(config, running, home);
  const sameEngines =
    running?.databaseUrl === config.DATABASE_URL && running?.temporalAddress === config.TEMPORAL_ADDRESS;
  const runtime = bothSet && !sameEngines ? null : running;
  const databaseUrl = config.DATABASE_URL ?? runtime?.databaseUrl;
  const address = config.TEMPORAL_ADDRESS ?? runtime?.temporalAddress;
  if (!databaseUrl || !address) return null;
  const namespace = config.TEMPORAL_ADDRESS
    ? config.TEMPORAL_NAMESPACE
    : (runtime?.temporalNamespace ?? STORES.real.namespace);
  const keys = await openKeyRing(config, home);
  const dataConverter = createDataConverter(keys, payloadMode(config));
  return {
    mode: runtime?.mode ?? 'real',
    databaseUrl,
    temporal: { ...(await temporalTarget(config, address, namespace)), dataConverter },
    temporalUiUrl: config.TEMPORAL_UI_URL ?? runtime?.temporalUiUrl ?? null,
    apiUrl: runtime?.apiUrl ?? null,
    env: syncEnvironment(runtime, env),
    keys,
  };
}

function refuseMixture(config: Config, running: Runtime, home: Home): void {
  const differing = [
    config.DATABASE_URL !== undefined && config.DATABASE_URL !== running.databaseUrl && 'DATABASE_URL',
    config.TEMPORAL_ADDRESS !== undefined &&
      config.TEMPORAL_ADDRESS !== running.temporalAddress &&
      'TEMPORAL_ADDRESS',
  ].filter((name) => name !== false);
  if (differing.length === 0) return;
  throw new ConfigurationError(
    `${differing.join(' and ')} names another engine than the one that runs in ${home.dir} ` +
      `(${running.mode} mode, pid ${running.pid}). Stop that one, or unset the variable, or set DURASYNC_HOME to another folder.`,
  );
}

function syncEnvironment(runtime: Runtime | null, env: Environment): Environment {
  return runtime?.demoSourceUrl ? { ...env, ...demoSettings(runtime.demoSourceUrl, env) } : env;
}

/** Open connections to the engines. */
export interface Session {
  readonly targets: Targets;
  readonly database: DatabaseConnection;
  readonly client: Client;
  readonly syncs: readonly SyncDefinition[];
  /** Aborted when this process is asked to stop; who waits for Temporal stops waiting then, before `close`. */
  readonly stopped?: AbortSignal;
  close(): Promise<void>;
}

/** Connects to engines that are known to run. */
export async function openSession(targets: Targets, applicationName: string): Promise<Session> {
  const temporal = await connectTemporal(targets.temporal);
  const database = connectDatabase({ databaseUrl: targets.databaseUrl, applicationName });
  return {
    targets,
    database,
    client: temporal.client,
    syncs,
    close: async () => {
      await database.close();
      await temporal.close();
    },
  };
}

/** Where everything is. @throws NotRunningError */
export async function requireTargets(config: Config, home: Home, env: Environment): Promise<Targets> {
  const targets = await findTargets(config, home, env);
  if (targets) return targets;
  throw new NotRunningError(
    `Nothing runs in ${home.dir}. Start it with: npm start (or set DATABASE_URL and TEMPORAL_ADDRESS).`,
  );
}

/**
 * Connects to what runs.
 *
 * @throws NotRunningError
 */
export async function attach(config: Config, home: Home, env: Environment): Promise<Session> {
  return openSession(await requireTargets(config, home, env), 'durasync command');
}
