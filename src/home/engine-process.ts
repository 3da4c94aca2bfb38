import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from './processes.ts';

export interface EngineCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The folder it works in, by which a later start finds it again. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives standard output and error. */
  readonly logFile: string;
}

export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface EngineProcess {
  readonly pid: number;
  readonly exited: Promise<EngineExit>;
  /** Signals it step by step until it is gone. One that has ended is left alone: its pid may be somebody else's now. */
  stop(steps: readonly StopStep[]): Promise<void>;
  /** What this process has logged so far, cut to its last 4 kB. */
  logTail(): Promise<string>;
}

/** One step of stopping a process: the signal, and how long it may take before the next one. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly waitMs: number;
}

const MAX_LOG_BYTES = 10_000_000;
const TAIL_BYTES = 4_096;
const POLL_MS = 25;

/**
 * Starts an engine in a process group of its own, so that Ctrl-C in the terminal reaches only its owner, which
 * stops its worker first. The engine logs into a file and not into a pipe, because it may outlive its owner.
 *
 * @throws Error when the command can't be started
 */
export async function startEngine({
  command,
  args,
  cwd,
  env,
  logFile,
}: EngineCommand): Promise<EngineProcess> {
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  await keepPreviousLog(logFile);
  const log = await open(logFile, 'a', 0o600);
  try {
    const logStart = (await log.stat()).size;
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', log.fd, log.fd] });
    const exited = new Promise<EngineExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) throw new Error(`${command} was started but has no pid.`);
    return {
      pid,
      exited,
      stop: async (steps) => {
        if (child.exitCode === null && child.signalCode === null) await stopProcess(pid, steps);
      },
      logTail: () => readTail(logFile, logStart),
    };
  } finally {
    await log.close();
  }
}

/** Signals a process step by step until it is gone; resolves at once when it already is. Safe to repeat. */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<void> {
  const identity = processIdentity(pid);
  const isGone = (): boolean => identity === null || processIdentity(pid) !== identity;
  for (const { signal, waitMs } of steps) {
    if (isGone()) return;
    signalIfThere(pid, signal);
    for (const giveUpAt = Date.now() + waitMs; Date.now() < giveUpAt; await sleep(POLL_MS)) {
      if (isGone()) return;
    }
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function keepPreviousLog(logFile: string): Promise<void> {
  const info = await stat(logFile).catch(() => null);
  if (info && info.size > MAX_LOG_BYTES) await rename(logFile, `${logFile}.1`);
}

async function readTail(logFile: string, from: number): Promise<string> {
  const log = await open(logFile, 'r');
  try {
    const { size } = await log.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    const { buffer, bytesRead } = await log.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await log.close();
  }
}
