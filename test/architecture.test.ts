import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  readonly file: string;
  /** A path from the root for our own files, else the name of the package. */
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Which parts of the project a part may import values from; types may come from anywhere but the outermost. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/domain': [],
  workflows: ['src/domain'],
  'src/connectors': ['src/domain', 'src/settings.ts'],
  'src/db': ['src/domain', 'src/home', 'src/notify/causes.ts', 'src/free-port.ts'],
  'src/health': [
    'src/domain',
    'src/db',
    'src/notify',
    'src/syncs',
    'src/settings.ts',
    'src/temporal/next-runs.ts',
  ],
  'src/metrics': ['src/domain', 'src/db', 'src/health', 'src/syncs', 'src/settings.ts'],
  'src/notify': ['src/domain', 'src/settings.ts'],
  'src/syncs': [
    'src/domain',
    'src/connectors',
    'src/db',
    'src/notify/causes.ts',
    'src/key-ring.ts',
    'src/settings.ts',
  ],
  'src/home': ['src/settings.ts'],
  activities: [
    'src/domain',
    'src/syncs',
    'src/connectors',
    'src/db',
    'src/home',
    'src/notify',
    'src/health',
    'src/settings.ts',
    'src/version.ts',
  ],
  'src/temporal': [
    'activities',
    'src/connectors/backups/backup-settings.ts',
    'src/domain',
    'src/db',
    'src/syncs',
    'src/home',
    'src/notify',
    'src/settings.ts',
    'src/free-port.ts',
  ],
  'src/demo': ['src/syncs', 'src/free-port.ts'],
  // It runs in a browser: of the server it knows types alone.
  'src/dashboard': [],
};

/** Packages that workflow code may import: it is sandboxed and must be deterministic. */
const WORKFLOW_PACKAGES = ['@temporalio/workflow', '@temporalio/common'];
/** Nothing imports these but they themselves. */
const OUTERMOST = ['src/cli', 'src/http', 'src/dashboard'];
/** Packages that a browser gets. */
const BROWSER_PACKAGES = ['preact', 'uplot'];

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?['"]([^'"]+)['"]/gms;

function importsOf(file: string, text = readFileSync(join(ROOT, file), 'utf8')): Import[] {
  return [...text.matchAll(IMPORT)].map(([, typeOnly, names = '', specifier = '']) => ({
    file,
    target: specifier.startsWith('.')
      ? relative(ROOT, resolve(ROOT, dirname(file), specifier))
      : specifier.replace(/^((@[^/]+\/)?[^/]+).*$/, '$1'),
    typeOnly: typeOnly !== undefined || /^\{(\s*type\s[^,}]+,?)+\s*\}$/.test(names),
  }));
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const isOurs = (target: string): boolean => /^(src|workflows|activities)\//.test(target);

/** Every import that goes against the direction of dependencies, as a sentence. */
function violations(imports: readonly Import[]): string[] {
  const found: string[] = [];
  for (const { file, target, typeOnly } of imports) {
    const outer = OUTERMOST.find((folder) => within(target, folder));
    const asType = typeOnly && within(file, 'src/dashboard') && outer === 'src/http';
    if (outer && !within(file, 'src/cli') && !within(file, outer) && !asType) {
      found.push(`${file} imports ${target}`);
      continue;
    }
    const part = Object.keys(ALLOWED).find((folder) => within(file, folder));
    if (!part || typeOnly) continue;
    if (isOurs(target)) {
      const allowed = [part, ...(ALLOWED[part] ?? [])].some((folder) => within(target, folder));
      if (!allowed) found.push(`${file} imports ${target}`);
    } else if (part === 'workflows' && !WORKFLOW_PACKAGES.includes(target)) {
      found.push(`${file} imports the package ${target}`);
    } else if (part === 'src/dashboard' && !BROWSER_PACKAGES.includes(target)) {
      found.push(`${file} imports the package ${target}`);
    } else if (part === 'src/domain') {
      found.push(`${file} imports the package ${target}`);
    }
  }
  return found;
}

const files = ['workflows', 'activities', 'src'].flatMap(sourceFiles);

describe('the direction of dependencies', () => {
  test('looks at every part of the project', () => {
    for (const part of [...Object.keys(ALLOWED), ...OUTERMOST]) {
      expect(files.filter((file) => within(file, part)).length, part).toBeGreaterThan(0);
    }
    expect(files.flatMap((file) => importsOf(file)).length).toBeGreaterThan(200);
  });

  test('is kept by every import', () => {
    expect(violations(files.flatMap((file) => importsOf(file)))).toEqual([]);
  });

  test.each([
    ['workflows/planted.ts', `import { sql } from 'kysely';`],
    ['workflows/planted.ts', `import { z } from 'zod';`],
    ['workflows/planted.ts', `import { stageTable } from '../activities/stage-table.ts';`],
    ['src/domain/planted.ts', `import { readFile } from 'node:fs/promises';`],
    ['src/db/planted.ts', `import { fleet } from '../syncs/fleet/index.ts';`],
    ['src/connectors/csv/planted.ts', `import { syncs } from '../../syncs/index.ts';`],
    ['src/syncs/planted.ts', `import type { app } from '../http/app.ts';`],
    ['src/http/planted.ts', `import type { App } from '../dashboard/app.tsx';`],
    ['src/dashboard/planted.tsx', `import { syncSchema } from '../http/sync-schemas.ts';`],
    ['src/dashboard/planted.tsx', `import { readActivity } from '../db/activity.ts';`],
    ['src/dashboard/planted.tsx', `import { z } from 'zod';`],
    ['activities/planted.ts', `export { up } from '../src/cli/commands/up.ts';`],
  ])('would notice a wrong import in %s: %s', (file, text) => {
    expect(violations(importsOf(file, text))).toHaveLength(1);
  });

  test.each([
    ['workflows/fine.ts', `import type { SyncActivities } from '../src/domain/contracts.ts';`],
    ['src/dashboard/fine.ts', `import type { syncSchema } from '../http/sync-schemas.ts';`],
    ['src/dashboard/fine.ts', `import { render } from 'preact';`],
    ['activities/fine.ts', `import { type Db, inTransaction } from '../src/db/connect.ts';`],
  ])('takes a right import in %s: %s', (file, text) => {
    expect(violations(importsOf(file, text))).toEqual([]);
  });
});

test('only each-file.ts has a hook at the top of a support file, where later files of a process would not see it', () => {
  const hooked = readdirSync(join(ROOT, 'test/support'))
    .filter((name) =>
      /^(before|after)(All|Each)\(/m.test(readFileSync(join(ROOT, 'test/support', name), 'utf8')),
    )
    .toSorted();
  expect(hooked).toEqual(['each-file.ts']);
});
