import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface BenchProcess {
  readonly pid: number;
  /** The first line it wrote, which says that it is ready. */
  readonly firstLine: string;
  stop(): Promise<void>;
}

/** Starts a program of `programs/` in a process of its own and waits for its first line. */
export async function startProgram(
  name: 'bare-worker' | 'noop-worker' | 'quiet-shops' | 'source-server',
  args: readonly string[],
): Promise<BenchProcess> {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const firstLine = await Promise.race([
    once(child.stdout, 'data').then(([data]) => String(data).trim()),
    exited.then(() => Promise.reject(new Error(`${name} ended before it was ready.`))),
  ]);
  return { pid: child.pid ?? 0, firstLine, stop: () => stop(child, exited) };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}

/** The most memory a process has had resident, in MB; null where the system doesn't tell. */
export async function peakMemoryMb(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1024;
}
