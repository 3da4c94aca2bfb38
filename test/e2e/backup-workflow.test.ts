import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { MaintainedBackup, MaintainedRetention } from '../../src/domain/backups.ts';
import { startBackup } from '../../src/temporal/backups.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { killHard, startWorkersInChild, startWorkerHere } from '../support/fault-worker.ts';
import { fillDatabase } from '../support/fill-database.ts';
import { holdTable } from '../support/hold-point.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { startS3 } from '../support/s3-server.ts';
import { queryOnce } from '../support/backup-harness.ts';

const database = await createTestDatabase();
const { client, address, namespace } = await createTestNamespace();
const s3 = await startS3();
await fillDatabase(database);
const folder = await mkdtemp(join(tmpdir(), 'durasync-test-backups-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const target = {
  address,
  namespace,
  taskQueue: 'durasync',
  databaseUrl: database.databaseUrl,
  env: { ...s3.env, BACKUP_DIR: folder, DURASYNC_HOME: folder },
  bundles: SHARED_BUILDS,
};

test('a backup survives the death of its worker in the middle, and is listed once and whole', async () => {
  const hold = await holdTable(database.databaseUrl, 'rentals.leads');
  const first = await startWorkersInChild([target]);
  const { workflowId, runId, started } = await startBackup(client, 'test');
  expect(started).toBe(true);
  await hold.reached();
  expect(await startBackup(client, 'test')).toEqual({ workflowId, runId, started: false });
  await killHard(first);
  expect((await readdir(folder)).every((name) => name.endsWith('.partial'))).toBe(true);
  await hold.release();

  const worker = await startWorkerHere(target);
  afterAll(() => worker.stop());
  const made = (await client.workflow.getHandle(workflowId, runId).result()) as MaintainedBackup;
  const { name } = made.backup;
  expect(await readdir(folder)).toEqual([name]);
  expect(made.uploaded).toBe(`s3://durasync-test/backups/${name}`);

  const api = await startHttpHarness({ database, client, env: target.env });
  const listed = await api.call('GET /api/backups');
  expect(listed.body).toEqual([
    expect.objectContaining({
      name,
      location: join(folder, name),
      rows: made.backup.rows,
      verified_at: null,
    }),
    expect.objectContaining({ name, location: made.uploaded }),
  ]);
  expect(await api.call('POST /api/backups', { token: api.tokens.viewer })).toMatchObject({ status: 403 });
  expect((await api.call('POST /api/backups')).status).toBe(202);
  await client.workflow.getHandle(workflowId).result();
}, 90_000);

test('retention proves the newest backup, removes what is old, and says so', async () => {
  await queryOnce(
    database.databaseUrl,
    `INSERT INTO durasync.uploads (file_name, uploaded_by, uploaded_at)
     VALUES ('old.csv', 'test', now() - interval '31 days')`,
  );
  const handle = await client.workflow.start('maintainRetention', {
    taskQueue: 'durasync',
    workflowId: 'test/retention',
    args: [],
  });
  const result = (await handle.result()) as MaintainedRetention;
  expect(result.verified).toMatchObject({ tables: expect.any(Number) });
  expect(result.backups?.removed).toEqual([]);
  expect(result.removed).toMatchObject({ uploads: 1 });
  expect(result.notices).toEqual([]);
}, 90_000);

test('people hear once of a backup that fails, and once that one was made again', async () => {
  const run = (): Promise<unknown> =>
    startBackup(client, 'test').then(({ workflowId, runId }) =>
      client.workflow.getHandle(workflowId, runId).result(),
    );
  const told = `SELECT event, body FROM durasync.notifications WHERE cause = 'backup' ORDER BY id`;
  await notAFolder();
  await expect(run()).rejects.toThrow('Workflow execution failed');
  await expect(run()).rejects.toThrow('Workflow execution failed');
  expect(await queryOnce(database.databaseUrl, told)).toEqual([
    { event: 'raised', body: expect.stringContaining('set BACKUP_DIR to another folder') },
  ]);
  target.env.BACKUP_DIR = folder;
  await run();
  expect(await queryOnce(database.databaseUrl, told)).toMatchObject([
    { event: 'raised' },
    { event: 'resolved' },
  ]);
}, 60_000);

/** Backups can't be made below a file. */
async function notAFolder(): Promise<void> {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  target.env.BACKUP_DIR = join(file, 'backups');
}
