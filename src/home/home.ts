import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const PROBE_BYTES = 65_536;

/** The folder in which Durasync keeps its engines' data, its logs and its secrets. */
export interface Home {
  /** Absolute. */
  readonly dir: string;
  /** A path inside the home. */
  path(...parts: string[]): string;
}

/** The home can't be used; the message says why and what to do. */
export class HomeError extends Error {
  override readonly name = 'HomeError';
}

/**
 * Makes the home when it is missing, with mode 700, and proves that it can be written. A folder that holds
 * nothing but a home is tightened to 700; one that holds other things (such as /tmp) keeps its mode, and
 * everything secret inside has a mode of its own. Safe to repeat.
 *
 * @throws HomeError
 */
export async function openHome(folder: string): Promise<Home> {
  const dir = resolve(folder);
  const home: Home = { dir, path: (...parts) => join(dir, ...parts) };
  try {
    const made = await mkdir(dir, { recursive: true, mode: 0o700 });
    if (made === undefined && (await holdsOnlyHome(dir))) await chmod(dir, 0o700);
    const probe = home.path(`.probe-${randomUUID()}`);
    // An empty file can often still be made on a full disk.
    await writeFile(probe, Buffer.alloc(PROBE_BYTES));
    await rm(probe);
    await mkdir(home.path('logs'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw homeError(dir, cause);
  }
  return home;
}

async function holdsOnlyHome(dir: string): Promise<boolean> {
  const { uid, mode } = await stat(dir);
  if ((mode & 0o077) === 0 || uid !== process.getuid?.()) return false;
  const names = await readdir(dir);
  return names.length === 0 || names.some((name) => /^owner\.\d+\.json$/.test(name));
}

function homeError(dir: string, cause: unknown): HomeError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const remedy = 'set DURASYNC_HOME to a folder that this user can write';
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HomeError(
        `The Durasync home ${dir} can't be written by this user (${code}). Change its owner or ${remedy}.`,
        { cause },
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new HomeError(`The Durasync home ${dir} is not a folder. Remove that file or ${remedy}.`, {
        cause,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new HomeError(
        `The disk that holds the Durasync home ${dir} is full. Free some space there, or set DURASYNC_HOME to a folder on another disk.`,
        { cause },
      );
    default:
      return new HomeError(`The Durasync home ${dir} can't be used: ${String(cause)}. Else ${remedy}.`, {
        cause,
      });
  }
}

/** Writes a file that only this user can read (mode 600), whole or not at all. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
