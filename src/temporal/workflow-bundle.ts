import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '@temporalio/worker';
import { SEALING_FAILURE_CONVERTER } from './data-converter.ts';
import type { PayloadMode } from './payload-codec.ts';

const ROOT = new URL('../../', import.meta.url);
const WORKFLOWS = fileURLToPath(new URL('workflows/index.ts', ROOT));
const SOURCES = ['workflows/', 'src/domain/', 'package-lock.json'];

/** Made when an image is built, so that no worker has to. */
const PREBUILT = fileURLToPath(new URL('dist/', ROOT));
const PREFIXES: Readonly<Record<PayloadMode, string>> = {
  plain: 'workflows-',
  sealed: 'sealing-workflows-',
};

/**
 * The path of the workflow code as one file: the prebuilt one if it is of these sources, else one in `folder`, made
 * when the sources have changed since it was last made. Bundling takes seconds and a lot of memory, so the worker
 * only reads the result. Safe to repeat.
 *
 * @param folder where bundles are kept
 * @param mode of the payloads: failures are made inside the workflow, so its code decides what of them is sealed
 */
export async function ensureWorkflowBundle(
  folder: string,
  mode: PayloadMode = 'plain',
  prebuilt = PREBUILT,
): Promise<string> {
  const name = `${PREFIXES[mode]}${await hashSources()}.js`;
  for (const path of [join(prebuilt, name), join(folder, name)]) {
    if (await stat(path).catch(() => null)) return path;
  }
  return makeBundle(folder, name, mode);
}

/**
 * Makes the bundles of both modes in the folder that `ensureWorkflowBundle` looks into first. Safe to repeat.
 *
 * @returns their paths
 */
export async function prebuildWorkflowBundles(folder = PREBUILT): Promise<string[]> {
  const hash = await hashSources();
  const modes = ['plain', 'sealed'] as const;
  return Promise.all(modes.map((mode) => makeBundle(folder, `${PREFIXES[mode]}${hash}.js`, mode)));
}

async function makeBundle(folder: string, name: string, mode: PayloadMode): Promise<string> {
  // The bundler takes long to load, and is seldom needed.
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS,
    // Nothing of it keeps state between calls, so all workflows of a worker share one copy: each starts sooner and is smaller.
    preloadModules: [WORKFLOWS],
    failureConverterPath: mode === 'sealed' ? SEALING_FAILURE_CONVERTER : undefined,
    logger: silent,
  });
  const path = join(folder, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, code);
  await rename(draft, path);
  for (const other of await readdir(folder)) {
    const isOlder = other.startsWith(PREFIXES[mode]) && other.endsWith('.js') && other !== name;
    if (isOlder) await rm(join(folder, other), { force: true });
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
