import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildsFolder } from '../../src/home/builds.ts';
import { openHome } from '../../src/home/home.ts';

const folder = await mkdtemp(join(tmpdir(), 'durasync-builds-'));
afterAll(() => rm(folder, { recursive: true }));
const home = await openHome(join(folder, 'home'));

test('homes share what is built, in a folder made when it is missing', async () => {
  const shared = join(folder, 'packages', '.cache', 'durasync');
  expect(await buildsFolder(home, shared)).toBe(shared);
  expect(await buildsFolder(home, shared)).toBe(shared);
});

test('a home keeps its own where nothing can be written beside the packages', async () => {
  await writeFile(join(folder, 'a file'), '');
  expect(await buildsFolder(home, join(folder, 'a file', 'durasync'))).toBe(join(folder, 'home', 'cache'));
});
