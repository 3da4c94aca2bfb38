import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = join(ROOT, 'src', 'dashboard');
/** Where `npm run build` leaves it, as in the image of the container. */
export const PREBUILT = join(ROOT, 'dist');
const PREFIX = 'dashboard-';

/** The dashboard could not be built; the message says why and what to do. */
class DashboardBuildError extends Error {
  override readonly name = 'DashboardBuildError';
}

/**
 * The folder of the built dashboard: the one that `npm run build` made, or one that is made here when the sources
 * have changed since the last time. Building takes a second or two, in a process of its own. Safe to repeat.
 *
 * @param folder where builds are kept
 * @throws DashboardBuildError
 */
export async function ensureDashboard(folder: string): Promise<string> {
  const name = PREFIX + (await hashSources());
  for (const kept of [PREBUILT, folder]) {
    if (await stat(join(kept, name, 'index.html')).catch(() => null)) return join(kept, name);
  }
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `draft-${randomUUID()}`);
  try {
    await build(draft);
    await rename(draft, join(folder, name)).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await stat(join(folder, name)).catch(() => null))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  for (const other of await readdir(folder)) {
    if (other.startsWith(PREFIX) && other !== name) await rm(join(folder, other), { recursive: true });
  }
  return join(folder, name);
}

async function build(outDir: string): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js');
  const config = join(SOURCES, 'vite.config.js');
  const words = ['build', SOURCES, '--config', config, '--configLoader', 'native', '--outDir', outDir];
  try {
    await promisify(execFile)(process.execPath, [vite, ...words, '--logLevel', 'error'], {
      cwd: ROOT,
      env: { ...process.env, NODE_ENV: 'production' },
    });
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new DashboardBuildError(`The dashboard could not be built. Try: npm ci && npm run build\n${said}`, {
      cause,
    });
  }
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(SOURCES, { recursive: true })).filter((name) => /\.\w+$/.test(name)).sort();
  for (const name of names) hash.update(name).update(await readFile(join(SOURCES, name)));
  hash.update(await readFile(join(ROOT, 'package-lock.json')));
  return hash.digest('hex').slice(0, 16);
}
