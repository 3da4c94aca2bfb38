import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The program that `npx durasync` runs. */
export const DURASYNC = fileURLToPath(new URL('../../src/cli/durasync.js', import.meta.url));

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables that a developer's own shell may hold and that would change what a command does. */
const OURS =
  /^(DURASYNC_|FMS_|RETURN_API_|API_SYNC_|SYNC_|TEMPORAL_|GOOGLE_|GEOCODE_|BACKUP_|RETENTION_|AWS_|DATABASE_URL$|LOG_LEVEL$)/;

/** This process's variables without ours, and the given ones. */
export function environment(variables: Variables): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...variables };
}

/** Runs a real `durasync` command to its end, away from any `.env`. */
export async function durasync(args: readonly string[], variables: Variables): Promise<Finished> {
  const child = spawn(process.execPath, [DURASYNC, ...args], {
    cwd: '/',
    env: environment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}
