import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiledProgram } from '../../src/cli/compiled-program.js';
import type { WorkerTarget } from '../support/fault-worker.ts';

const PROGRAM = new URL('chaos-worker.ts', import.meta.url);
const SOURCES = ['test/chaos/', 'test/support/'];
const PAUSE_MS = 300;

export interface KeptWorker {
  /** Ends it as a crash does; it is started again a moment later. */
  kill(): void;
  /** How often it ended without having been killed. */
  deaths(): number;
  stop(): Promise<void>;
}

/** Keeps a worker process alive, as a supervisor does in production. */
export function keepWorker(target: WorkerTarget): KeptWorker {
  let child: ChildProcess | undefined;
  let stopping = false;
  let killed = false;
  let deaths = 0;
  const watching = (async () => {
    const program = fileURLToPath(await compiledProgram(PROGRAM, SOURCES));
    while (!stopping) {
      child = spawn(process.execPath, [program], {
        env: { ...process.env, WORKER_TARGET: JSON.stringify(target) },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      await once(child, 'exit');
      if (!killed && !stopping) deaths += 1;
      killed = false;
      if (!stopping) await sleep(PAUSE_MS);
    }
  })();
  const kill = (): void => {
    killed = true;
    child?.kill('SIGKILL');
  };
  return {
    kill,
    deaths: () => deaths,
    stop: async () => {
      stopping = true;
      kill();
      await watching;
    },
  };
}
