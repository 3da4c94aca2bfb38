import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { localFolder } from '../../src/connectors/backups/local-folder.ts';
import { openPlaces } from '../../src/connectors/backups/open-places.ts';
import type { LocalBackupPlace, RemoteBackupPlace } from '../../src/db/backup/backup-place.ts';
import { createBackup } from '../../src/db/backup/create-backup.ts';
import { findBackup, listBackups } from '../../src/db/backup/list-backups.ts';
import { pruneBackups } from '../../src/db/backup/prune-backups.ts';
import { uploadBackup } from '../../src/db/backup/upload-backup.ts';
import { verifyBackup } from '../../src/db/backup/verify-backup.ts';
import { MANIFEST_FILE } from '../../src/domain/backups.ts';
import { startBackupHarness } from '../support/backup-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { fillDatabase } from '../support/fill-database.ts';
import { BUCKET, startS3 } from '../support/s3-server.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const database = await createTestDatabase();
const { databaseUrl } = database;
await fillDatabase(database);
const { place, folder, backUp } = await startBackupHarness();
const s3 = await startS3();
const NAME = 'durasync_backup_20260201_030000';
const make = (at: LocalBackupPlace, name = NAME) =>
  createBackup({ databaseUrl, place: at, keys: TEST_KEYS, name, version: 'test' });

function bucketOf(env: Readonly<Record<string, string>>): RemoteBackupPlace {
  const { bucket } = openPlaces({ ...env, BACKUP_DIR: folder });
  if (!bucket) throw new Error('there is no bucket');
  return bucket;
}

describe('a folder of backups', () => {
  /** The third file meets a full disk after its first bytes, as the kernel reports it. */
  function fullDisk(): LocalBackupPlace {
    const real = localFolder(folder);
    let files = 0;
    return {
      ...real,
      begin: async (name) => {
        const draft = await real.begin(name);
        return {
          ...draft,
          create: (file) => {
            files += 1;
            if (files !== 3) return draft.create(file);
            return new Writable({
              write: (_chunk, _encoding, done) =>
                done(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
            });
          },
        };
      },
    };
  }

  test('that is on a full disk keeps nothing of the backup, and says what to do', async () => {
    await expect(make(fullDisk())).rejects.toThrow(/is full.*backup prune.*BACKUP_DIR/s);
    expect(await readdir(folder)).toEqual([]);
  });

  test('drops what an attempt that was killed left behind, when the backup is made again', async () => {
    const draft = await place.begin(NAME);
    draft.create('tables/half').end('half');
    await make(place);
    expect(await readdir(folder)).toEqual([NAME]);
    await place.remove(NAME);
  });

  test('keeps the backup of the attempt that was faster', async () => {
    const slow = await place.begin(NAME);
    const other = localFolder(folder);
    // Not through `begin`, which would drop the slow one.
    await mkdir(join(folder, NAME), { recursive: true });
    const first = await make({ ...other, list: async () => [] }, 'durasync_backup_20260202_030000');
    await slow.discard();
    expect(first.name).toBe('durasync_backup_20260202_030000');
    await Promise.all((await readdir(folder)).map((name) => rm(join(folder, name), { recursive: true })));
  });

  test('removes drafts that nobody writes to any more, and no others', async () => {
    const old = await place.begin('durasync_backup_20260101_030000');
    await place.begin('durasync_backup_20260102_030000');
    const draft = (await readdir(folder)).find((name) => name.includes('20260101')) ?? '';
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    for (const path of ['tables', '.']) await utimes(join(folder, draft, path), yesterday, yesterday);
    await place.removeLeftovers();
    expect((await readdir(folder)).filter((name) => name.includes('2026010'))).toEqual([
      expect.stringContaining('20260102'),
    ]);
    await old.discard();
    await rm(folder, { recursive: true });
  });

  test('that can not be made is refused with its path', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'durasync-test-'));
    onTestFinished(() => rm(parent, { recursive: true }));
    const file = join(parent, 'file');
    await chmod(parent, 0o700);
    await localFolder(parent)
      .begin(NAME)
      .then((draft) => draft.discard());
    await (await import('node:fs/promises')).writeFile(file, '');
    await expect(make(localFolder(join(file, 'backups')))).rejects.toThrow(
      /can't be read or written.*BACKUP_DIR/s,
    );
  });
});

describe('a bucket', () => {
  test('gets every file, the manifest last, and its copy comes back the same', async () => {
    const found = await backUp(databaseUrl);
    const { name } = found.manifest;
    const bucket = bucketOf(s3.env);
    const sent: string[] = [];
    const watched: RemoteBackupPlace = {
      ...bucket,
      upload: (...call) => bucket.upload(...call).then(() => void sent.push(call[1])),
      writeText: (...call) => bucket.writeText(...call).then(() => void sent.push(call[1])),
    };
    const location = await uploadBackup(place, watched, TEST_KEYS, name);
    expect(location).toBe(`s3://${BUCKET}/backups/${name}`);
    expect(sent.at(-1)).toBe(MANIFEST_FILE);
    expect(sent).toHaveLength(found.manifest.tables.length + 1);
    const copy = await findBackup([bucket], TEST_KEYS, name);
    expect(copy.manifest).toEqual(found.manifest);
    await verifyBackup({ found: copy, keys: TEST_KEYS, adminUrl: databaseUrl });
    expect((await findBackup([bucket], TEST_KEYS, name)).shown.verified_at).not.toBeNull();

    // Again: only the manifest is sent.
    sent.length = 0;
    await uploadBackup(place, watched, TEST_KEYS, name);
    expect(sent).toEqual([MANIFEST_FILE]);
  });

  test('shows nothing of an upload that did not come to its end, and the next one ends it', async () => {
    const found = await backUp(databaseUrl);
    const { name } = found.manifest;
    const bucket = bucketOf(s3.env);
    let left = 5;
    const breaking: RemoteBackupPlace = {
      ...bucket,
      upload: async (...call) => {
        left -= 1;
        if (left === 0) throw new Error('the worker died');
        await bucket.upload(...call);
      },
    };
    await expect(uploadBackup(place, breaking, TEST_KEYS, name)).rejects.toThrow('the worker died');
    const { good, broken } = await listBackups([bucket], TEST_KEYS);
    expect(good.map(({ manifest }) => manifest.name)).not.toContain(name);
    expect(broken).toEqual([expect.objectContaining({ reason: expect.stringContaining('never finished') })]);
    await uploadBackup(place, bucket, TEST_KEYS, name);
    expect((await findBackup([bucket], TEST_KEYS, name)).manifest.name).toBe(name);
  });

  test('takes a file in parts, and one that breaks off leaves nothing', async () => {
    const bucket = bucketOf(s3.env);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const bytes = 20 * chunk.length;
    const whole = Readable.from(Array.from({ length: 20 }, () => chunk));
    await bucket.upload(NAME, 'tables/big', whole, bytes);
    const torn = Readable.from(
      (function* () {
        for (let part = 0; part < 10; part += 1) yield chunk;
        throw new Error('the file went away');
      })(),
    );
    await expect(bucket.upload(NAME, 'tables/torn', torn, bytes)).rejects.toThrow('the file went away');
    const files = (await bucket.list()).find(({ name }) => name === NAME)?.files;
    expect(files).toEqual(new Map([['tables/big', bytes]]));
    await bucket.remove(NAME);
    expect((await bucket.list()).find(({ name }) => name === NAME)).toBeUndefined();
  });

  test('that does not exist is refused with its name and the setting', async () => {
    const bucket = bucketOf({ ...s3.env, AWS_S3_BACKUP_BUCKET: 'no-such-bucket' });
    await expect(bucket.list()).rejects.toThrow(/no bucket 'no-such-bucket' at http.*AWS_S3_BACKUP_BUCKET/s);
    await expect(bucket.upload(NAME, 'x', Readable.from(['x']), 1)).rejects.toMatchObject({
      code: 'BackupPlaceRefused',
    });
  });

  test.each(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AccessDenied'])(
    'that answers %s is refused without naming the key',
    async (code) => {
      const server = createServer((_request, response) =>
        response
          .writeHead(403, { 'content-type': 'application/xml' })
          .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`),
      ).listen(0, '127.0.0.1');
      await once(server, 'listening');
      afterAll(() => server.close());
      const { port } = server.address() as AddressInfo;
      const bucket = bucketOf({
        ...s3.env,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        AWS_SECRET_ACCESS_KEY: 'a-wrong-secret',
      });
      const refusal = await bucket.list().catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'BackupPlaceRefused' });
      expect(String(refusal)).toContain(`refused the keys for the bucket '${BUCKET}' (${code})`);
      expect(String(refusal)).not.toContain('a-wrong-secret');
    },
  );

  test('that nobody answers for is tried again', async () => {
    const bucket = bucketOf({ ...s3.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    await expect(bucket.list()).rejects.toMatchObject({ code: 'BackupPlaceUnavailable' });
  });
});

test('a place that does not answer hides no backup of another one', async () => {
  const silent = bucketOf({ ...s3.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
  const { good, failures } = await listBackups([silent, place], TEST_KEYS);
  expect(good.length).toBeGreaterThan(0);
  expect(failures).toEqual([expect.objectContaining({ code: 'BackupPlaceUnavailable' })]);
  await expect(
    pruneBackups({ places: [silent, place], keys: TEST_KEYS, keepDays: 30, mode: 'remove' }),
  ).rejects.toThrow('does not answer');
});

test('pruning keeps the last good backup of each place, however old', async () => {
  const bucket = bucketOf(s3.env);
  const pruned = await pruneBackups({ places: [place, bucket], keys: TEST_KEYS, keepDays: 30, mode: 'show' });
  expect(pruned.removed).toEqual([]);
  expect(pruned.kept).toBeGreaterThanOrEqual(2);
});
