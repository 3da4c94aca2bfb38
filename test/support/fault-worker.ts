import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { connectDatabase } from '../../src/db/connect.ts';
import { cars } from '../../src/syncs/cars/index.ts';
import type { SyncDefinition } from '../../src/syncs/define-sync.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import type { PayloadMode } from '../../src/temporal/payload-codec.ts';
import { createWorkers } from '../../src/temporal/worker.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { faultFleet } from './fault-fleet.ts';
import { quickRentals } from './quick-rentals.ts';
import { startProgram } from './start-program.ts';
import { TEST_KEYS } from './test-keys.ts';

/** What one worker works on. As plain data, so that it can be given to another process. */
export interface WorkerTarget {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly databaseUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly bundles: string;
  /** How payloads are written to Temporal; plainly when left out. */
  readonly sealing?: Sealing;
  /** The version of the worker, and its workflow code in place of the present one. */
  readonly version?: { readonly buildId: string; readonly bundlePath?: string };
}

export interface Sealing {
  /** As in DURASYNC_SECRET_KEYS. */
  readonly keys: string;
  readonly mode: PayloadMode;
}

export const converterOf = ({ keys, mode }: Sealing): DataConverter =>
  createDataConverter(createKeyRing(keys), mode);

export interface RunningWorker {
  stop(): Promise<void>;
}

/** The workers of one process in this one, with connections of their own. */
export async function startWorkerHere(
  target: WorkerTarget,
  syncs: readonly SyncDefinition[] = [faultFleet, quickRentals, cars],
): Promise<RunningWorker> {
  const { address, namespace, taskQueue, databaseUrl, env, bundles, sealing, version } = target;
  const bundlePath = version?.bundlePath ?? (await ensureWorkflowBundle(bundles, sealing?.mode));
  const dataConverter = sealing && converterOf(sealing);
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const database = connectDatabase({ databaseUrl, applicationName: 'durasync worker' });
  const http = createAgent();
  const workers = await createWorkers({
    connection,
    client: new Client({ connection: clientConnection, namespace, dataConverter }),
    dataConverter,
    database,
    http,
    keys: sealing ? createKeyRing(sealing.keys) : TEST_KEYS,
    syncs,
    env,
    log: pino({ level: 'silent' }),
    bundlePath,
    taskQueue,
    buildId: version?.buildId,
  });
  const running = workers.map((worker) => worker.run());
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await Promise.all([database.close(), http.close(), connection.close(), clientConnection.close()]);
    },
  };
}

/** Workers in one child process, ready to be killed; resolves when all of them poll. */
export async function startWorkersInChild(targets: readonly WorkerTarget[]): Promise<ChildProcess> {
  const child = await startProgram('run-workers', [], {
    env: { ...process.env, WORKER_TARGETS: JSON.stringify(targets) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the child ended before its workers were ready');
  });
  ended.catch(() => undefined);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => console.error(text));
  if (!child.stdout) throw new Error('the child has no standard output');
  const lines = createInterface({ input: child.stdout });
  await Promise.race([once(lines, 'line'), ended]);
  return child;
}

/** Ends a process as a crash does, and waits until it is gone. */
export async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
