import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { queryOnce, startBackupHarness } from '../support/backup-harness.ts';
import { durasync } from '../support/durasync.ts';
import { createTestDatabase } from '../support/engines.ts';

const { databaseUrl, pool } = await createTestDatabase();
const harness = await startBackupHarness();
const home = await mkdtemp(join(tmpdir(), 'durasync-test-home-'));
afterAll(() => rm(home, { recursive: true, force: true }));
const variables = {
  DURASYNC_HOME: home,
  DATABASE_URL: databaseUrl,
  DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
};
const backups = join(home, 'backups');

// No Temporal is anywhere: these commands need none.
test('backup create, list, verify, restore and prune as a person uses them', async () => {
  await pool.query(`INSERT INTO fleet.vehicles (vin, make, model, office) VALUES ('V1', 'a', 'b', 'c')`);
  const created = await durasync(['backup', 'create', '--json'], variables);
  expect(created).toMatchObject({ code: 0, stderr: '' });
  const made = JSON.parse(created.stdout) as { name: string; location: string };
  expect(made).toMatchObject({ rows: 1, verified_at: null, uploaded: null });
  expect(made.location).toBe(join(backups, made.name));
  const files = await readdir(made.location);
  expect(files.sort()).toEqual(['manifest.json', 'tables']);

  const into = await harness.newDatabaseUrl();
  const [verified, refused, restored] = await Promise.all([
    durasync(['backup', 'verify'], variables),
    durasync(['backup', 'restore', made.name, '--into', databaseUrl], variables),
    durasync(['backup', 'restore', made.name, '--into', into, '--json'], variables),
  ]);
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${made.name} is good: 1 rows of`),
  });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
  expect(restored.code).toBe(0);
  expect(JSON.parse(restored.stdout)).toMatchObject({
    name: made.name,
    rows: 1,
    replaced: null,
    reconciled: { outcome: 'unreachable' },
  });
  expect(await queryOnce(into, 'SELECT vin FROM vehicles')).toEqual([{ vin: 'V1' }]);

  const [listed, pruned] = await Promise.all([
    durasync(['backup', 'list', '--json'], variables),
    durasync(['backup', 'prune', '--json'], variables),
  ]);
  expect(JSON.parse(listed.stdout)).toEqual([
    expect.objectContaining({ name: made.name, verified_at: expect.any(String) }),
  ]);
  expect(JSON.parse(pruned.stdout)).toEqual({ dry_run: false, removed: [], kept: 1 });

  const manifest = join(made.location, 'manifest.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"rows": 1', '"rows": 2'));
  const edited = await durasync(['backup', 'list', '--json'], variables);
  expect(JSON.parse(edited.stdout)).toEqual([]);
  expect(edited.stderr).toContain('its manifest was changed after it was written');
}, 120_000);
