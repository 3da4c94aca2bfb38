import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const MAIN = new URL('main.ts', import.meta.url);
const SOURCES = ['src/', 'activities/', 'workflows/', 'package-lock.json', 'tsconfig.json'];
const BUILDS_KEPT = 20;

/**
 * The address of a program as JavaScript: made when a source has changed since, else taken from
 * `node_modules/.cache`. Compiling each file while it is loaded, as tsx does, costs every command a second and 50 MB.
 * Safe to repeat, and by several processes at once.
 *
 * @param {URL} program
 * @param {readonly string[]} moreSources folders that it is made of besides those of `durasync`
 * @returns {Promise<string>}
 * @throws when the cache can't be written
 */
export async function compiledProgram(program = MAIN, moreSources = []) {
  const name = basename(program.pathname, '.ts');
  const builds = new URL('node_modules/.cache/durasync/programs/', ROOT);
  const build = new URL(`${name}-${hashSources([...SOURCES, ...moreSources])}/`, builds);
  const main = new URL(`${name}.mjs`, build);
  if (!existsSync(main)) {
    const draft = new URL(`draft-${randomUUID()}/`, builds);
    await compile(fileURLToPath(program), fileURLToPath(draft));
    // Another process may have been faster; its build is the same.
    await rename(draft, build).catch(() => rm(draft, { recursive: true }));
    await removeOldBuilds(builds);
  }
  return main.href;
}

/** @param {readonly string[]} sources */
function hashSources(sources) {
  // Of this place too: what is compiled knows where its sources are, and folders are copied.
  const hash = createHash('sha256').update(ROOT.href);
  for (const source of sources) {
    const url = new URL(source, ROOT);
    const names = source.endsWith('/')
      ? readdirSync(url, { recursive: true, encoding: 'utf8' })
          .filter((name) => /(?<!\.test)\.(tsx?|js)$/.test(name))
          .sort()
      : [''];
    for (const name of names) hash.update(`\0${source}${name}\0`).update(readFileSync(new URL(name, url)));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * @param {string} entryPoint
 * @param {string} outdir
 */
async function compile(entryPoint, outdir) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entryPoint],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [{ name: 'durasync', setup: ourFilesOnly }],
  });
}

/** @param {import('esbuild').PluginBuild} build */
function ourFilesOnly(build) {
  // Packages stay where they are, but for one of 400 files.
  build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
    kind === 'entry-point' || path === 'kysely' ? undefined : { path, external: true },
  );
  // What a file finds beside itself is still beside its source.
  build.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => ({
    loader: path.endsWith('x') ? 'tsx' : 'ts',
    contents: (await readFile(path, 'utf8')).replaceAll(
      'import.meta.url',
      JSON.stringify(pathToFileURL(path).href),
    ),
  }));
}

/** @param {URL} builds */
async function removeOldBuilds(builds) {
  /** @param {string} name */
  const madeAt = (name) => statSync(new URL(name, builds)).mtimeMs;
  const names = readdirSync(builds).sort((a, b) => madeAt(b) - madeAt(a));
  for (const name of names.slice(BUILDS_KEPT)) {
    await rm(new URL(`${name}/`, builds), { recursive: true, force: true });
  }
}
