import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { ensureWorkflowBundle, prebuildWorkflowBundles } from '../../src/temporal/workflow-bundle.ts';

const folder = await mkdtemp(join(tmpdir(), 'durasync-bundle-'));
afterAll(() => rm(folder, { recursive: true }));

const [image, nothing] = [join(folder, 'image'), join(folder, 'nothing')];

test('workers that start at the same time make one whole bundle between them', async () => {
  const alone = await ensureWorkflowBundle(SHARED_BUILDS, 'plain', nothing);
  const shared = join(folder, 'shared');
  const paths = await Promise.all([1, 2].map(() => ensureWorkflowBundle(shared, 'plain', nothing)));
  expect(new Set(paths)).toEqual(new Set([join(shared, basename(alone))]));
  expect(await readdir(shared)).toEqual([basename(alone)]);
  expect((await readFile(paths[0] ?? '')).equals(await readFile(alone))).toBe(true);
}, 60_000);

test('bundles that an image carries are taken, one for each mode of payloads', async () => {
  const built = await prebuildWorkflowBundles(image);
  expect(await readdir(image)).toHaveLength(2);
  const taken = await Promise.all([
    ensureWorkflowBundle(nothing, 'plain', image),
    ensureWorkflowBundle(nothing, 'sealed', image),
  ]);
  expect(taken).toEqual(built);
}, 60_000);
