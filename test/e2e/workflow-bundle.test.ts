import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';

const folder = await mkdtemp(join(tmpdir(), 'durasync-bundle-'));
afterAll(() => rm(folder, { recursive: true }));

test('workers that start at the same time make one whole bundle between them', async () => {
  const paths = await Promise.all([1, 2, 3].map(() => ensureWorkflowBundle(folder)));
  expect(new Set(paths).size).toBe(1);
  const [path = ''] = paths;
  expect(await readdir(folder)).toEqual([path.slice(folder.length + 1)]);
  const map =
    (await readFile(path, 'utf8')).split('sourceMappingURL=data:application/json;base64,').at(-1) ?? '';
  expect(JSON.parse(Buffer.from(map, 'base64').toString())).toHaveProperty('mappings');
}, 60_000);
