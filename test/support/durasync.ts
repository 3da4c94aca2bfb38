import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../src/cli/durasync.js', import.meta.url));

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables that a developer's own shell may hold and that would change what a command does. */
const OURS = /^(DURASYNC_|FMS_|SYNC_|TEMPORAL_|GOOGLE_|GEOCODE_|DATABASE_URL$|LOG_LEVEL$)/;

function environment(variables: Variables): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...variables };
}

/** Starts a real `durasync` command in a process group of its own, away from any `.env`. */
export function startDurasync(args: readonly string[], variables: Variables, cwd = '/'): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    detached: true,
    env: environment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a real `durasync` command to its end. */
export async function durasync(args: readonly string[], variables: Variables): Promise<Finished> {
  const child = startDurasync(args, variables);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}
