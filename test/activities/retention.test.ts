import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { FoundBackup } from '../../src/db/backup/list-backups.ts';
import { pastTheirAge } from '../../src/db/backup/prune-backups.ts';
import { removeOldRows } from '../../src/db/retention.ts';
import { backupName } from '../../src/domain/backups.ts';
import { removeOldLogs } from '../../src/home/remove-old-logs.ts';
import { createTestDatabase } from '../support/engines.ts';

const database = await createTestDatabase();
const DAYS = { details: 30, history: 365 };

/** A run of so many days ago with a table and quarantined rows. */
async function addRun(id: string, daysAgo: number, status = 'completed', quarantined = 1): Promise<void> {
  await database.pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, started_at, status)
     VALUES ($1, 'sync', 'fleet', 't', 'manual', now(), now() - make_interval(days => $2), $3)`,
    [id, daysAgo, status],
  );
  await database.pool.query(
    `INSERT INTO durasync.sync_run_tables (run_id, table_name, status) VALUES ($1, 'vehicles', 'completed')`,
    [id],
  );
  await database.pool.query(
    `INSERT INTO durasync.quarantined_rows (run_id, sync, table_name, position, raw, reasons, unreadable, created_at)
     SELECT $1, 'fleet', 'vehicles', n, 'raw', '[]', false, now() - make_interval(days => $2)
     FROM generate_series(1, $3::integer) n`,
    [id, daysAgo, quarantined],
  );
}

const left = async (table: string): Promise<Record<string, number>> => {
  const { rows } = await database.pool.query<{ run_id: string; count: number }>(
    `SELECT run_id, count(*) FROM durasync.${table} GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ run_id, count }) => [run_id, count]));
};

beforeAll(async () => {
  await addRun('new', 29);
  await addRun('old', 31, 'completed', 12_000);
  await addRun('held', 40, 'held');
  await addRun('open', 40, 'running');
  await addRun('live', 400);
  await addRun('ancient', 400);
  await database.pool.query(
    `INSERT INTO durasync.table_state (sync, table_name, merged_run_id) VALUES ('fleet', 'vehicles', 'live')`,
  );
});

test('details go after 30 days and runs after a year; open runs and those that are live keep everything', async () => {
  const removed = await removeOldRows(database.db, DAYS);
  expect(removed).toMatchObject({ quarantined_rows: 12_001, run_tables: 2, runs: 1 });
  const kept = { new: 1, held: 1, open: 1, live: 1 };
  expect(await left('quarantined_rows')).toEqual(kept);
  expect(await left('sync_run_tables')).toEqual(kept);
  expect(await left('sync_runs')).toEqual({ ...kept, old: 1 });
});

test('a second time there is nothing to remove', async () => {
  const removed = await removeOldRows(database.db, DAYS);
  expect(Object.values(removed).every((count) => count === 0)).toBe(true);
});

test('it stops between two batches when it is asked to', async () => {
  await addRun('late', 50, 'completed', 10);
  await expect(removeOldRows(database.db, DAYS, AbortSignal.abort(new Error('stop')))).rejects.toThrow(
    'stop',
  );
  expect((await left('quarantined_rows'))['late']).toBe(10);
});

test('log files that nothing was written to for 30 days are removed, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'durasync-test-logs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const old = new Date(Date.now() - 31 * 24 * 3_600_000);
  for (const name of ['worker.log', 'postgres.log.1', 'notes.txt', 'api.log']) {
    await writeFile(join(folder, name), 'x');
    if (name !== 'api.log') await utimes(join(folder, name), old, old);
  }
  await mkdir(join(folder, 'folder'));
  expect(await removeOldLogs(folder, 30, new Date())).toBe(2);
  expect((await readdir(folder)).sort()).toEqual(['api.log', 'folder', 'notes.txt']);
  expect(await removeOldLogs(join(folder, 'none'), 30, new Date())).toBe(0);
});

/** A backup as the list has it, as far as its age is concerned. */
function backupOf(
  day: string,
  options: { verified?: boolean; database?: string; place?: string } = {},
): FoundBackup {
  const created_at = `${day}T03:00:00.000Z`;
  const { verified = false, database: name = 'durasync', place = '/backups' } = options;
  return {
    place: { location: place },
    manifest: { name: backupName(created_at), created_at, database: name },
    shown: { name: backupName(created_at), verified_at: verified ? created_at : null },
  } as FoundBackup;
}

const daysOf = (backups: readonly FoundBackup[]): string[] =>
  backups.map(({ manifest }) => manifest.created_at.slice(0, 10)).sort();

const NOW = new Date('2026-06-30T12:00:00Z');

test('backups past their age go, younger ones stay', () => {
  const all = ['2026-05-01', '2026-05-30', '2026-06-15', '2026-06-30'].map((day) => backupOf(day));
  expect(daysOf(pastTheirAge(all, 30, NOW))).toEqual(['2026-05-01', '2026-05-30']);
});

test('the last good backup stays however old it is, and so does the last one that was proven', () => {
  const all = [
    backupOf('2025-01-01', { verified: true }),
    backupOf('2025-02-01', { verified: true }),
    backupOf('2025-03-01'),
    backupOf('2025-04-01'),
  ];
  expect(daysOf(pastTheirAge(all, 30, NOW))).toEqual(['2025-01-01', '2025-03-01']);
});

test('each database and each place keeps a last good backup of its own', () => {
  const all = [
    backupOf('2025-01-01', { database: 'demo' }),
    backupOf('2025-01-02', { place: 's3://bucket' }),
    backupOf('2026-06-29'),
  ];
  expect(pastTheirAge(all, 30, NOW)).toEqual([]);
});
