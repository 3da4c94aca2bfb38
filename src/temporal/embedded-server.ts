import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { PortTakenError, type PortWish, withFreePort } from '../free-port.ts';
import { type EngineExit, type EngineProcess, startEngine, stopProcess } from '../home/engine-process.ts';
import { findProcesses } from '../home/processes.ts';
import { ensureNamespace, registerSearchAttributes } from './search-attributes.ts';

export interface EmbeddedTemporalOptions {
  /** The Temporal CLI. */
  readonly cliPath: string;
  /** A folder for this server alone, by which a later start finds one that was left behind. */
  readonly dataDir: string;
  /** Whether workflows survive the server. */
  readonly state: 'kept' | 'in-memory';
  readonly port: PortWish;
  readonly uiPort: PortWish;
  /** Made when missing, with our search attributes. */
  readonly namespaces: readonly string[];
  readonly logFile: string;
  /** Told in a sentence what takes time. */
  readonly log?: (message: string) => void;
}

export interface EmbeddedTemporal {
  readonly pid: number;
  /** host:port of the gRPC service. */
  readonly address: string;
  readonly uiUrl: string;
  /** Workers and clients should be closed before. Safe to repeat. */
  stop(): Promise<void>;
  /** Resolves when the server is gone, whoever stopped it. */
  readonly exited: Promise<EngineExit>;
}

/** The embedded Temporal server can't start; the message says why and what to do. */
class EmbeddedTemporalError extends Error {
  override readonly name = 'EmbeddedTemporalError';
}

const HOST = '127.0.0.1';
const SHUTDOWN = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;
/** The dev server's own day is too short for links to last week's runs. */
const RETENTION_DAYS = 30;
const START_MS = 60_000;
const POLL_MS = 50;
/** How often a server that dies at its start is started. */
const START_ATTEMPTS = 3;
/** Last words about a port that the server picked itself; of one that we gave it, it says "can't set … port". */
const LOST_A_PORT = /^panic:|^(?!.*can't set).*address already in use/m;

/**
 * Starts the Temporal dev server with its Web UI on loopback, in a process group of its own, and waits until it
 * answers and has the namespaces and search attributes. One that a killed owner left behind is stopped first.
 * The caller must own the home that holds `dataDir`.
 *
 * @throws PortTakenError, EmbeddedTemporalError
 */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  await stopLeftovers(options);
  return withFreePort(options.port, (port) =>
    withFreePort({ ...options.uiPort, avoid: port }, (uiPort) => startOnPorts(options, { port, uiPort })),
  );
}

interface Ports {
  readonly port: number;
  readonly uiPort: number;
}

/** The server picks ports for its own parts, and dies at its start when somebody else takes one of them meanwhile. */
async function startOnPorts(options: EmbeddedTemporalOptions, ports: Ports): Promise<EmbeddedTemporal> {
  for (let attempt = 1; ; attempt += 1) {
    const engine = await startServer(options, ports);
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= engine.stop(SHUTDOWN));
    try {
      const connection = await connectWhenReady(engine, options, ports);
      await prepareNamespaces(connection, options.namespaces).finally(() => connection.close());
      return {
        pid: engine.pid,
        address: `${HOST}:${ports.port}`,
        uiUrl: `http://${HOST}:${ports.uiPort}`,
        stop,
        exited: engine.exited,
      };
    } catch (error) {
      await stop();
      if (attempt === START_ATTEMPTS || !LOST_A_PORT.test(await engine.logTail())) throw error;
      options.log?.('Starting the Temporal server again: another process took a port of one of its parts');
    }
  }
}

async function stopLeftovers({ dataDir, log }: EmbeddedTemporalOptions): Promise<void> {
  for (const pid of findProcesses({ folder: dataDir, command: /server start-dev/ })) {
    log?.(`Stopping the Temporal server that an earlier start left behind (pid ${pid})`);
    await stopProcess(pid, SHUTDOWN);
  }
}

function startServer(
  { cliPath, dataDir, state, logFile }: EmbeddedTemporalOptions,
  { port, uiPort }: Ports,
): Promise<EngineProcess> {
  const args = ['server', 'start-dev', '--ip', HOST, '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--log-level', 'warn', '--ui-disable-news-fetch');
  // Nothing calls home: Durasync also runs where there is no way out.
  args.push('--dynamic-config-value', 'frontend.enableServerVersionCheck=false');
  // Partitions spread a queue over many servers. One server only passes tasks on between them.
  args.push('--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1');
  args.push('--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1');
  if (state === 'kept') {
    // One wait for the disk for each commit instead of several, and no less durable.
    args.push('--db-filename', `${dataDir}/temporal.sqlite`, '--sqlite-pragma', 'journal_mode=WAL');
  }
  return startEngine({ command: cliPath, args, cwd: dataDir, env: process.env, logFile }).catch(
    (cause: unknown) => {
      throw new EmbeddedTemporalError(
        `The Temporal CLI ${cliPath} could not be started (${String(cause)}). Set TEMPORAL_CLI_PATH to a working one, or TEMPORAL_ADDRESS to a Temporal server.`,
        { cause },
      );
    },
  );
}

async function connectWhenReady(
  engine: EngineProcess,
  options: EmbeddedTemporalOptions,
  ports: Ports,
): Promise<Connection> {
  let gone = false;
  void engine.exited.then(() => (gone = true));
  for (const giveUpAt = Date.now() + START_MS; !gone && Date.now() < giveUpAt; await sleep(POLL_MS)) {
    // A gRPC client that is refused once waits a second before it tries again.
    if (!(await isListening(ports.port))) continue;
    const connection = await Connection.connect({ address: `${HOST}:${ports.port}` }).catch(() => null);
    // Another server may answer on a port that ours could not get.
    if (connection && !gone) return connection;
    await connection?.close();
  }
  throw startError(await engine.logTail(), options, ports);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function startError(tail: string, options: EmbeddedTemporalOptions, { port, uiPort }: Ports): Error {
  if (/can't set UI port.*address already in use/.test(tail)) {
    return new PortTakenError(options.uiPort.use, uiPort, null);
  }
  if (/can't set frontend port.*address already in use/.test(tail)) {
    return new PortTakenError(options.port.use, port, null);
  }
  if (/disk is full|no space left on device/i.test(tail)) {
    return new EmbeddedTemporalError(
      `Temporal could not start because the disk that holds ${options.dataDir} is full. Free some space and start again.`,
    );
  }
  return new EmbeddedTemporalError(
    `The embedded Temporal server could not start. Its last words, from ${options.logFile}:\n${tail}`,
  );
}

async function prepareNamespaces(connection: Connection, namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces) {
    await ensureNamespace({
      connection,
      namespace,
      retentionDays: RETENTION_DAYS,
      applyTo: 'new-and-existing',
    });
    await registerSearchAttributes(connection, namespace);
  }
}
