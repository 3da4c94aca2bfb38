import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { environment, type Finished } from './durasync.ts';
import { testEngine } from './engines.ts';

/** Runs the plain Temporal CLI to its end, against one namespace of the test server. */
export type TemporalCli = (...args: string[]) => Promise<Finished>;

export async function temporalCli(namespace: string): Promise<TemporalCli> {
  const { address, cliPath } = await testEngine('/temporal');
  const target = ['--address', address, '--namespace', namespace, '--disable-config-file', '-o', 'json'];
  return async (...args) => {
    const child = spawn(cliPath, [...args, ...target], {
      env: environment({}),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
  };
}
