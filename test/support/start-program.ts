import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiledProgram } from '../../src/cli/compiled-program.js';

const PROGRAMS = new URL('../e2e/programs/', import.meta.url);
const SOURCES = ['test/support/', 'test/e2e/programs/'];

/** Starts a program of test/e2e/programs as a process of its own. */
export async function startProgram(
  name: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  const program = await compiledProgram(new URL(`${name}.ts`, PROGRAMS), SOURCES);
  return spawn(process.execPath, [fileURLToPath(program), ...args], options);
}
