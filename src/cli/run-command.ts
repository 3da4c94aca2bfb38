import { EXIT } from './exit-codes.ts';

interface CommandWithGlobals {
  optsWithGlobals(): object;
}

/**
 * Runs one command and turns what it throws into one message and an exit code. Expected errors show no stack;
 * `--debug` shows it for all.
 *
 * @param work returns the exit code, or nothing for 0
 */
export async function runCommand(
  command: CommandWithGlobals,
  work: () => Promise<number | void>,
): Promise<void> {
  try {
    process.exitCode = (await work()) ?? EXIT.ok;
  } catch (error) {
    // Loaded when needed, because knowing Temporal's errors takes longer than a whole `--help`.
    const { errorText, exitCodeFor } = await import('./explain-error.ts');
    const debug = 'debug' in command.optsWithGlobals();
    process.stderr.write(`${debug && error instanceof Error ? error.stack : errorText(error)}\n`);
    process.exitCode = exitCodeFor(error);
  }
}
