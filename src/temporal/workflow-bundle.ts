import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '@temporalio/worker';

const ROOT = new URL('../../', import.meta.url);
const WORKFLOWS = fileURLToPath(new URL('workflows/index.ts', ROOT));
const SOURCES = ['workflows/', 'src/domain/', 'package-lock.json'];

/**
 * The path of the workflow code as one file, made when the sources have changed since it was last made.
 * Bundling takes seconds and a lot of memory, so the worker only reads the result. Safe to repeat.
 *
 * @param folder where bundles are kept
 */
export async function ensureWorkflowBundle(folder: string): Promise<string> {
  const path = join(folder, `workflows-${await hashSources()}.js`);
  if (await stat(path).catch(() => null)) return path;
  // The bundler takes long to load, and is seldom needed.
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: silent });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, code);
  await rename(draft, path);
  for (const name of await readdir(folder)) {
    if (/^workflows-.*\.js$/.test(name) && join(folder, name) !== path)
      await rm(join(folder, name), { force: true });
  }
  return path;
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const url = new URL(source, ROOT);
    const names = source.endsWith('/')
      ? (await readdir(url)).filter((name) => name.endsWith('.ts')).sort()
      : [''];
    for (const name of names) hash.update(name).update(await readFile(name ? new URL(name, url) : url));
  }
  return hash.digest('hex').slice(0, 16);
}

const nothing = (): void => undefined;
const silent = {
  log: (_level: LogLevel, _message: string): void => undefined,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
