import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findProcesses } from '../../src/home/processes.ts';
import { DURASYNC, environment, type Variables } from './durasync.ts';
import { waitUntil } from './wait-until.ts';

/** A `durasync` command that runs. */
export interface StartedDurasync {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Everything it has written so far, to both streams. */
  output(): string;
  /** Waits for text in the output. @throws Error with the output */
  says(text: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** Python's own module gives what it runs a terminal, as a person's shell has. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
const OF_THIS_SIZE = 'stty rows 40 cols 130; exec "$@"';

/** Commands that this test file has started, and their homes. */
const started: { readonly child: ChildProcess; readonly home: string }[] = [];

/** Ends what a test file has left running. Called after its last test. */
export function endStarted(): void {
  for (const { child, home } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.pid)
      process.kill(-child.pid, 'SIGKILL');
    for (const pid of enginesOf(home)) process.kill(pid, 'SIGKILL');
  }
}

/**
 * Starts a `durasync` command away from any `.env`, in a process group of its own. What is still there after the file's
 * last test is killed.
 *
 * @param where with 'terminal' it has one, and what is written to `child.stdin` is typed there
 */
export function startDurasync(
  words: readonly string[],
  variables: Variables,
  where: 'pipe' | 'terminal' = 'pipe',
): StartedDurasync {
  const command = [process.execPath, DURASYNC, ...words];
  const [program = '', ...args] =
    where === 'terminal'
      ? ['python3', '-c', IN_TERMINAL, 'sh', '-c', OF_THIS_SIZE, 'sh', ...command]
      : command;
  const env = environment(variables);
  const child = spawn(program, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = once(child, 'close').then(([code]) => code as number | null);
  started.push({ child, home: String(variables['DURASYNC_HOME']) });
  return {
    pid: child.pid ?? 0,
    child,
    output: () => output,
    says: (text, timeoutMs = 60_000) =>
      waitUntil(
        `it says ${text}`,
        () => (typeof text === 'string' ? output.includes(text) : text.test(output)),
        timeoutMs,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}; it said:\n${output}`);
      }),
    exited,
  };
}

/** The pids of the engines of a home. */
export function enginesOf(home: string): number[] {
  return [
    ...findProcesses({ folder: join(home, 'postgres', 'data'), command: /postgres/ }),
    ...findProcesses({ folder: join(home, 'temporal'), command: /start-dev/ }),
  ];
}

/** The pid of the worker that a process has started. @throws Error when it has none: pid 0 would mean everybody */
export function workerOf(parent: number): number {
  const listed = execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  const found = listed
    .map((line) => line.trim().split(/\s+/))
    .find(([, ppid, ...words]) => Number(ppid) === parent && words.includes('worker'));
  if (!found) throw new Error(`process ${parent} has no worker`);
  return Number(found[0]);
}
