import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FoundBackup } from '../../src/db/backup/list-backups.ts';
import { migrateToLatest, migrationNames, SCHEMAS } from '../../src/db/migrate.ts';
import { checksums, queryOnce, startBackupHarness, structure } from '../support/backup-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { CLIENTS, fillDatabase } from '../support/fill-database.ts';
import { holdTable } from '../support/hold-point.ts';

const database = await createTestDatabase();
const harness = await startBackupHarness();
let backup: FoundBackup;
let restoredUrl: string;

beforeAll(async () => {
  await fillDatabase(database);
  backup = await harness.backUp(database.databaseUrl);
  restoredUrl = await harness.newDatabaseUrl();
});

describe('a restore drill', () => {
  test('brings every row of every table back, by checksum', async () => {
    const restored = await harness.restore(backup, restoredUrl);
    const sums = await checksums(database.databaseUrl);
    expect(Object.keys(sums).length).toBeGreaterThan(50);
    expect(await checksums(restoredUrl)).toEqual(sums);
    expect(restored).toMatchObject({ replaced: null, migrated: [], notices: [], rows: backup.manifest.rows });
    expect(backup.manifest.tables.find(({ name }) => name === 'vehicles')?.rows).toBe(5000);
  });

  test('brings constraints, indexes, triggers, policies, rights, views and sequences back', async () => {
    expect(await structure(restoredUrl)).toEqual(await structure(database.databaseUrl));
  });

  test('gives new rows numbers that no old row has', async () => {
    const insert = `INSERT INTO rentals.leads (lead_type, store, phone, name)
      VALUES ('return', 'Kottakkal', '0000009999', 'New') RETURNING lead_id::integer`;
    expect(await queryOnce(restoredUrl, insert)).toEqual([{ lead_id: 301 }]);
  });

  test('lets the roles of row-level security see what they may, and nobody else', async () => {
    const log = 'SELECT count(*)::integer FROM cars.cars_sync_log';
    const asRole = (role: string, statement: string): Promise<unknown> =>
      queryOnce(restoredUrl, `DO $$ BEGIN SET LOCAL ROLE ${role}; EXECUTE '${statement}'; END $$`);
    await asRole('durasync_viewer', 'SELECT * FROM cars.cars_sync_log');
    await expect(asRole('durasync_viewer', 'DELETE FROM cars.cars_sync_log')).rejects.toThrow('denied');
    await asRole('durasync_service', 'DELETE FROM cars.cars_sync_log WHERE false');
    expect(await queryOnce(restoredUrl, log)).toEqual([{ count: 10 }]);
  });

  test("shows every client's data through its view, and makes no view that was not there", async () => {
    for (const { id, view } of CLIENTS) {
      if (view === null) continue;
      const rows = await queryOnce(
        restoredUrl,
        `SELECT DISTINCT client_id, count(*) OVER ()::integer FROM ${view}`,
      );
      expect(rows).toEqual([{ client_id: id, count: 40 }]);
    }
    await expect(queryOnce(restoredUrl, 'SELECT * FROM client_quiet_data')).rejects.toThrow('does not exist');
  });

  test('leaves out what a crash may take: unlogged and staging tables', async () => {
    const files = backup.manifest.tables.map(({ schema, name }) => `${schema}.${name}`);
    expect(files).not.toContain('durasync.rate_buckets');
    expect(await queryOnce(restoredUrl, 'SELECT * FROM durasync.rate_buckets')).toEqual([]);
  });

  test('every schema of ours is among those that are backed up', async () => {
    const rows = await queryOnce(
      database.databaseUrl,
      `SELECT nspname FROM pg_namespace
       WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', 'durasync_staging')`,
    );
    expect(
      rows.map(({ nspname }) => nspname).filter((name) => !SCHEMAS.some((each) => each === name)),
    ).toEqual([]);
  });
});

test('one instant is backed up while others go on writing', async () => {
  await queryOnce(
    database.databaseUrl,
    'CREATE TABLE fleet.money (account text PRIMARY KEY, amount integer)',
  );
  await queryOnce(database.databaseUrl, `INSERT INTO fleet.money VALUES ('a', 100)`);
  const hold = await holdTable(database.databaseUrl, 'rentals.leads');
  const made = harness.backUp(database.databaseUrl);
  await hold.reached();
  await queryOnce(
    database.databaseUrl,
    `UPDATE fleet.money SET amount = 0; DELETE FROM fleet.vehicles WHERE vin = 'VIN1';
     UPDATE rentals.stores SET store = store; INSERT INTO durasync.audit_log (actor, action, subject) VALUES ('x', 'late', 'x')`,
  );
  await hold.release();
  const found = await made;
  expect(found.manifest.tables.find(({ name }) => name === 'vehicles')?.rows).toBe(5000);
  expect(found.manifest.tables.find(({ name }) => name === 'audit_log')?.rows).toBe(1);
  const into = await harness.newDatabaseUrl();
  const restored = await harness.restore(found, into);
  expect(restored.notices).toEqual([expect.stringContaining('"fleet"."money" is no table of Durasync')]);
  expect(await queryOnce(into, `SELECT count(*)::integer FROM fleet.vehicles WHERE vin = 'VIN1'`)).toEqual([
    { count: 1 },
  ]);
  await queryOnce(database.databaseUrl, 'DROP TABLE fleet.money');
});

test('a backup of an older schema comes back at its version and is migrated on', async () => {
  const older = await harness.newDatabaseUrl();
  const names = await migrationNames();
  await harness.asAdmin(`CREATE DATABASE "${new URL(older).pathname.slice(1)}" TEMPLATE template0`);
  await migrateToLatest(older, undefined, names[3]);
  await queryOnce(
    older,
    `INSERT INTO fleet.vehicles (vin, make, model, office) VALUES ('OLD', 'a', 'b', 'c')`,
  );
  const found = await harness.backUp(older);
  expect(found.manifest.schema_version).toBe(names[3]);
  const into = await harness.newDatabaseUrl();
  const restored = await harness.restore(found, into);
  expect(restored.migrated).toEqual(names.slice(4));
  expect(await queryOnce(into, 'SELECT vin FROM fleet.vehicles')).toEqual([{ vin: 'OLD' }]);
});

test('columns that people added come back with their values; runs that were open in the backup are ended', async () => {
  const open = (id: string, status: string): string =>
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status)
     VALUES ('${id}', 'sync', 'fleet', 't', 'manual', now(), '${status}');
     INSERT INTO durasync.sync_run_tables (run_id, table_name, status) VALUES ('${id}', 'vehicles', '${status}')`;
  await queryOnce(
    database.databaseUrl,
    `ALTER TABLE fleet.vehicles ADD COLUMN "My note" varchar(20);
     UPDATE fleet.vehicles SET "My note" = 'mine' WHERE vin = 'VIN2';
     ${open('open-1', 'running')}; ${open('open-2', 'held')}`,
  );
  const into = await harness.newDatabaseUrl();
  await harness.restore(await harness.backUp(database.databaseUrl), into);
  expect(await queryOnce(into, `SELECT "My note" FROM fleet.vehicles WHERE vin = 'VIN2'`)).toEqual([
    { 'My note': 'mine' },
  ]);
  expect(
    await queryOnce(into, `SELECT status FROM durasync.sync_runs WHERE run_id LIKE 'open-%' ORDER BY run_id`),
  ).toEqual([{ status: 'failed' }, { status: 'rejected' }]);
});

test('a folder that only looks like a backup is none', async () => {
  await appendFile(join(harness.folder, 'durasync_backup_20260101'), 'x');
  const names = (await harness.place.list()).map(({ name }) => name);
  expect(names).not.toContain('durasync_backup_20260101');
});
