import { randomBytes } from 'node:crypto';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../src/db/connect.ts';
import { createBackup } from '../../src/db/backup/create-backup.ts';
import { findBackup, type FoundBackup, listBackups } from '../../src/db/backup/list-backups.ts';
import { readManifest, writeManifest } from '../../src/db/backup/manifest.ts';
import { verifyBackup } from '../../src/db/backup/verify-backup.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import { queryOnce, startBackupHarness } from '../support/backup-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { fillDatabase } from '../support/fill-database.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const database = await createTestDatabase();
const harness = await startBackupHarness();
const { folder, place } = harness;
const adminUrl = database.databaseUrl;
const VEHICLES = 'tables/fleet.vehicles.copy.gz';
let good: FoundBackup;

beforeAll(async () => {
  await fillDatabase(database);
  good = await harness.backUp(adminUrl);
});

const verify = (found: FoundBackup) => verifyBackup({ found, keys: TEST_KEYS, adminUrl });
const pathOf = (file: string): string => join(folder, good.manifest.name, file);

/** Lets a test change a file of the backup, and puts it back. */
async function withChanged(file: string, change: (path: string) => Promise<void>, then: () => Promise<void>) {
  const saved = join(folder, 'saved');
  await cp(pathOf(file), saved);
  await change(pathOf(file));
  await then().finally(() => cp(saved, pathOf(file)));
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

const noScratch = async (): Promise<void> => {
  const left = `SELECT datname FROM pg_database
    WHERE shobj_description(oid, 'pg_database') LIKE '%${good.manifest.name}%' AND datname LIKE 'durasync_scratch%'`;
  expect(await harness.asAdmin(left)).toEqual([]);
};

/** Which database has the name of the original, and something of what is in it. */
const target = async (): Promise<unknown> =>
  queryOnce(
    adminUrl,
    `SELECT oid::text, (SELECT count(*)::integer FROM fleet.vehicles) FROM pg_database WHERE datname = current_database()`,
  );

describe('backup verify', () => {
  test('restores into a scratch database, compares, drops it, and keeps when that was', async () => {
    expect(good.shown.verified_at).toBeNull();
    const verified = await verify(good);
    expect(verified).toMatchObject({ tables: good.manifest.tables.length, rows: good.manifest.rows });
    const again = await findBackup([place], TEST_KEYS, good.manifest.name);
    expect(again.shown.verified_at).toBe(verified.verified_at);
    await noScratch();
  });

  test('finds a flipped byte, names the file, and leaves nothing behind', async () => {
    await withChanged(VEHICLES, flipByte, async () => {
      await expect(verify(good)).rejects.toThrow(`${VEHICLES} is damaged`);
    });
    await noScratch();
  });

  test('finds rows that differ although every file is whole', async () => {
    const other = await harness.backUp(adminUrl);
    const tables = other.manifest.tables.map((table) =>
      table.file === VEHICLES ? { ...table, content_sha256: '0'.repeat(64) } : table,
    );
    await expect(verify({ ...other, manifest: { ...other.manifest, tables } })).rejects.toThrow(
      /damaged|differ/,
    );
  });
});

describe('a manifest', () => {
  test.each([
    ['a number of rows', (text: string) => text.replace(/"rows": 5000/, '"rows": 4999')],
    ['a checksum', (text: string) => text.replace(/"sha256": "./, '"sha256": "g')],
    ['its signature', (text: string) => text.replace(/"signature": "([^"]+).{3}"/, '"signature": "$1AAA"')],
    ['a missing signature', (text: string) => text.replace(/,\n "signature".*/, '')],
    ['no JSON any more', () => 'not JSON'],
  ])('that was edited is refused and not listed: %s', async (_what, edit) => {
    const edited = async (path: string) => writeFile(path, edit(await readFile(path, 'utf8')));
    await withChanged('manifest.json', edited, async () => {
      const { good: listed, broken } = await listBackups([place], TEST_KEYS);
      expect(listed.map(({ manifest }) => manifest.name)).not.toContain(good.manifest.name);
      expect(broken).toEqual([expect.objectContaining({ name: good.manifest.name })]);
      await expect(findBackup([place], TEST_KEYS, good.manifest.name)).rejects.toThrow(/manifest/);
    });
  });

  test('may be laid out anew, since that changes nothing', async () => {
    const text = await readFile(pathOf('manifest.json'), 'utf8');
    const compact = JSON.stringify(JSON.parse(text));
    expect(readManifest(good.manifest.name, compact, TEST_KEYS)).toEqual(good.manifest);
  });

  test('of another backup is refused', async () => {
    const text = await readFile(pathOf('manifest.json'), 'utf8');
    expect(() => readManifest('durasync_backup_20200101_000000', text, TEST_KEYS)).toThrow('is that of');
  });

  test('holds no secret', async () => {
    const text = await readFile(pathOf('manifest.json'), 'utf8');
    expect(text).not.toMatch(/access_token|test:[A-Za-z0-9+/]{8}.*:.*:/);
    expect(good.manifest.key_ids).toEqual(['test']);
  });
});

test('a backup with a missing or cut file is not listed as good', async () => {
  for (const change of [(path: string) => rm(path), (path: string) => truncate(path, 100)]) {
    await withChanged(VEHICLES, change, async () => {
      const { good: listed } = await listBackups([place], TEST_KEYS);
      expect(listed.map(({ manifest }) => manifest.name)).not.toContain(good.manifest.name);
    });
  }
});

describe('backup restore refuses, and changes nothing,', () => {
  test('live data without consent, saying what is there', async () => {
    const before = await target();
    await expect(harness.restore(good, adminUrl)).rejects.toThrow(/holds rows \(cars\.cars.*add --yes/s);
    expect(await target()).toEqual(before);
  });

  test('while a run is open, consent or not', async () => {
    await queryOnce(
      adminUrl,
      `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at)
       VALUES ('open-run', 'sync', 'fleet', 't', 'manual', now())`,
    );
    await expect(harness.restore(good, adminUrl, { liveData: 'replace' })).rejects.toThrow(
      'A run is open in that database (fleet, open-run)',
    );
    await queryOnce(adminUrl, `DELETE FROM durasync.sync_runs WHERE run_id = 'open-run'`);
  });

  test('a damaged backup: the target stays as it is', async () => {
    const before = await target();
    await withChanged(VEHICLES, flipByte, async () => {
      await expect(harness.restore(good, adminUrl, { liveData: 'replace' })).rejects.toThrow('is damaged');
    });
    expect(await target()).toEqual(before);
    await noScratch();
  });

  test('unknown keys, newer schemas and newer servers, each with a remedy', async () => {
    const otherKeys = createKeyRing(`other:${randomBytes(32).toString('base64')}`);
    const into = await harness.newDatabaseUrl();
    await expect(harness.restore(good, into, { keys: otherKeys })).rejects.toThrow(/'test'.*add that key/s);
    const changed = (fields: object): FoundBackup => ({ ...good, manifest: { ...good.manifest, ...fields } });
    const newer = [...good.manifest.migrations, '9999_later'];
    await expect(
      harness.restore(changed({ migrations: newer, schema_version: '9999_later' }), into),
    ).rejects.toThrow(/schema is newer.*use Durasync test or newer/s);
    await expect(harness.restore(changed({ postgres_major: 99 }), into)).rejects.toThrow(
      'use a server of 99 or newer',
    );
    const fewer = good.manifest.migrations.slice(1);
    await expect(harness.restore(changed({ migrations: fewer }), into)).rejects.toThrow(
      'never had 0001_core',
    );
  });

  test('an address that names no database of its own', async () => {
    const into = Object.assign(new URL(adminUrl), { pathname: '/postgres' }).href;
    await expect(harness.restore(good, into)).rejects.toThrow('must name a database of its own');
  });
});

test('with consent live data is replaced under its name, kept under another, and pools find the new one', async () => {
  const into = await harness.newDatabaseUrl();
  await harness.restore(good, into);
  await queryOnce(
    into,
    `DELETE FROM fleet.vehicles; REVOKE CONNECT ON DATABASE "${new URL(into).pathname.slice(1)}" FROM PUBLIC`,
  );
  const pool = connectDatabase({ databaseUrl: into, applicationName: 'a worker' });
  await pool.pool.query('SELECT 1');
  const restored = await harness.restore(good, into, { liveData: 'replace' });
  const { rows } = await pool.pool.query('SELECT count(*) FROM vehicles');
  expect(rows).toEqual([{ count: 5000 }]);
  await pool.close();
  const kept = Object.assign(new URL(into), { pathname: `/${restored.replaced}` }).href;
  expect(await queryOnce(kept, 'SELECT count(*)::integer FROM fleet.vehicles')).toEqual([{ count: 0 }]);
  const name = new URL(into).pathname.slice(1);
  expect(await harness.asAdmin(`SELECT datacl::text FROM pg_database WHERE datname = '${name}'`)).toEqual([
    { datacl: expect.not.stringContaining('=Tc/') },
  ]);
});

test('a text of a manifest that one key made is not believed with another', () => {
  const mine = createKeyRing(`test:${randomBytes(32).toString('base64')}`);
  const text = writeManifest(good.manifest, mine);
  expect(() => readManifest(good.manifest.name, text, TEST_KEYS)).toThrow('was changed');
});

test('a second backup of the same name is the first one', async () => {
  const before = await readdir(folder);
  const { name } = good.manifest;
  const again = await createBackup({ databaseUrl: adminUrl, place, keys: TEST_KEYS, name, version: 'test' });
  expect(again).toEqual(good.manifest);
  expect(await readdir(folder)).toEqual(before);
});
