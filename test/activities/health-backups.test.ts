import { expect, test } from 'vitest';
import { checkBackups } from '../../src/health/backups.ts';
import { startBackupHarness } from '../support/backup-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const HOUR_MS = 3_600_000;
const { db, pool, databaseUrl } = await createTestDatabase();
const backups = await startBackupHarness();

const check = (at: Date) =>
  checkBackups({ db, env: { BACKUP_DIR: backups.folder }, keys: TEST_KEYS, now: at });
const after = (hours: number, from: Date | string): Date =>
  new Date(new Date(from).getTime() + hours * HOUR_MS);

test('the newest whole backup may be a day and a half old; without one the database may be', async () => {
  const migratedAt = new Date();
  await pool.query('UPDATE durasync.migrations SET timestamp = $1', [migratedAt.toISOString()]);
  const remedy = 'There is no backup yet. Make one with: npx durasync backup create';
  expect(await check(after(35, migratedAt))).toMatchObject({
    status: 'healthy',
    message: 'There is no backup yet.',
  });
  expect(await check(after(37, migratedAt))).toMatchObject({ status: 'warning', message: remedy });
  expect(await check(after(73, migratedAt))).toMatchObject({ status: 'error', message: remedy });

  const { shown } = await backups.backUp(databaseUrl);
  expect(await check(after(1, shown.created_at))).toMatchObject({
    status: 'healthy',
    message: `The newest backup is ${shown.name}, 60 min ago.`,
    detail: { newest_at: shown.created_at },
  });
  expect(await check(after(37, shown.created_at))).toMatchObject({ status: 'warning' });
  expect(await check(after(73, shown.created_at))).toMatchObject({ status: 'error' });
});
