import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Supervised } from './supervise.ts';

const COMMAND = fileURLToPath(new URL('../cli/durasync.js', import.meta.url));
const GRACE_MS = 15_000;
/** In MB. Without limits V8 lets garbage gather: 600 MB of memory instead of 380 for half a million rows. */
const HEAP_LIMITS = ['--max-old-space-size=384', '--max-semi-space-size=16'];

/**
 * Starts `durasync worker` as a child in a process group of its own: Ctrl-C reaches only its parent, which
 * stops it before the engines. The parent's death ends it, because its standard input then closes.
 */
export async function startWorkerProcess(
  env: NodeJS.ProcessEnv,
  logFd: number,
): Promise<Supervised & { pid: number }> {
  const child = spawn(process.execPath, [...HEAP_LIMITS, COMMAND, 'worker', '--until-stdin-closes'], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', logFd],
  });
  const exited = once(child, 'exit');
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('error', reject);
    void exited.then(() => reject(new Error('The worker ended before it was ready.')));
  });
  await ready;
  return {
    pid: child.pid ?? 0,
    exited,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
