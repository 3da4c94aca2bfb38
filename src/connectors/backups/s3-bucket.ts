import type { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { PlacedFiles, RemoteBackupPlace } from '../../db/backup/backup-place.ts';
import type { BackupSettings } from './backup-settings.ts';
import { explainS3 } from './explain-s3.ts';
import { isBackupName, MANIFEST_FILE } from '../../domain/backups.ts';

const PART_MIN_BYTES = 8 * 1024 * 1024;
/** S3 takes 10,000 parts of one object. */
const PARTS_MAX = 9_000;
const PARTS_AT_ONCE = 2;
const DELETED_AT_ONCE = 500;
/** A backup without a manifest whose newest file is this old is nobody's any more. */
const LEFTOVER_MS = 24 * 3_600_000;

interface Stored {
  readonly key: string;
  readonly bytes: number;
  readonly changedMs: number;
}

/** Backups as folders below a prefix of a bucket. One is whole when its manifest is there, which is uploaded last. */
export function s3Bucket(settings: BackupSettings, bucket: string): RemoteBackupPlace {
  const prefix = settings.AWS_S3_BACKUP_PREFIX === '' ? '' : `${settings.AWS_S3_BACKUP_PREFIX}/`;
  const location = `s3://${bucket}/${prefix}`.replace(/\/$/, '');
  const keyOf = (name: string, file: string): string => `${prefix}${name}/${file}`;

  /** The SDK is loaded when it is first needed: commands without a bucket never wait for it. */
  async function withS3<T>(
    work: (sdk: typeof import('@aws-sdk/client-s3'), s3: S3Client) => Promise<T>,
  ): Promise<T> {
    const sdk = await loadSdk();
    const s3 = new sdk.S3Client(clientOptions(settings));
    try {
      return await work(sdk, s3);
    } catch (error) {
      throw explainS3(settings, bucket, error);
    } finally {
      s3.destroy();
    }
  }

  const listKeys = (below: string): Promise<Stored[]> =>
    withS3(async (sdk, s3) => {
      const stored: Stored[] = [];
      for await (const page of sdk.paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: below })) {
        for (const { Key: key = '', Size: bytes = 0, LastModified } of page.Contents ?? []) {
          stored.push({ key, bytes, changedMs: LastModified?.getTime() ?? 0 });
        }
      }
      return stored;
    });

  const removeKeys = (keys: readonly string[]): Promise<void> =>
    withS3(async (sdk, s3) => {
      for (let from = 0; from < keys.length; from += DELETED_AT_ONCE) {
        const objects = keys.slice(from, from + DELETED_AT_ONCE).map((Key) => ({ Key }));
        const { Errors: [failed] = [] } = await s3.send(
          new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
        );
        if (failed) throw Object.assign(new Error(failed.Message), { name: failed.Code });
      }
    });

  const put = (name: string, file: string, text: string): Promise<void> =>
    withS3(async (sdk, s3) => {
      await s3.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: keyOf(name, file), Body: text }));
    });

  async function listFolders(): Promise<(PlacedFiles & { readonly changedMs: number })[]> {
    const folders = new Map<string, { files: Map<string, number>; changedMs: number }>();
    for (const { key, bytes, changedMs } of await listKeys(prefix)) {
      const [name = '', ...path] = key.slice(prefix.length).split('/');
      if (!isBackupName(name)) continue;
      const folder = folders.get(name) ?? { files: new Map<string, number>(), changedMs: 0 };
      folder.files.set(path.join('/'), bytes);
      folders.set(name, { ...folder, changedMs: Math.max(folder.changedMs, changedMs) });
    }
    return [...folders]
      .map(([name, folder]) => ({ name, ...folder }))
      .toSorted((a, b) => (a.name < b.name ? 1 : -1));
  }

  async function remove(name: string): Promise<void> {
    await removeKeys([keyOf(name, MANIFEST_FILE)]);
    await removeKeys((await listKeys(`${prefix}${name}/`)).map(({ key }) => key));
  }

  return {
    kind: 's3',
    location,
    locationOf: (name) => `${location}/${name}`,
    list: listFolders,
    readText: (name, file) =>
      withS3(async (sdk, s3) => {
        const answer = await s3.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: keyOf(name, file) }));
        return (await answer.Body?.transformToString()) ?? '';
      }),
    open: async (name, file) => {
      const sdk = await loadSdk();
      const s3 = new sdk.S3Client(clientOptions(settings));
      try {
        const { Body } = await s3.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: keyOf(name, file) }));
        const stream = Body as Readable;
        return stream.once('close', () => s3.destroy());
      } catch (error) {
        s3.destroy();
        throw explainS3(settings, bucket, error);
      }
    },
    writeText: put,
    upload: (name, file, content, bytes, signal) =>
      withS3(async (_sdk, s3) => {
        const { Upload } = await import('@aws-sdk/lib-storage');
        const upload = new Upload({
          client: s3,
          params: { Bucket: bucket, Key: keyOf(name, file), Body: content },
          partSize: Math.max(PART_MIN_BYTES, Math.ceil(bytes / PARTS_MAX)),
          queueSize: PARTS_AT_ONCE,
        });
        const abort = (): void => void upload.abort().catch(() => undefined);
        signal?.addEventListener('abort', abort, { once: true });
        try {
          await upload.done();
        } catch (error) {
          // Giving the parts up may fail too, and would hide why.
          throw content.errored ?? error;
        } finally {
          signal?.removeEventListener('abort', abort);
          content.destroy();
        }
      }),
    remove,
    removeLeftovers: async () => {
      for (const { name, files, changedMs } of await listFolders()) {
        if (!files.has(MANIFEST_FILE) && changedMs < Date.now() - LEFTOVER_MS) await remove(name);
      }
    },
  };
}

/** Without its note about later versions of Node.js, which would stand in the output of commands. */
function loadSdk(): Promise<typeof import('@aws-sdk/client-s3')> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return import('@aws-sdk/client-s3');
}

function clientOptions(settings: BackupSettings): S3ClientConfig {
  const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } =
    settings;
  return {
    region: AWS_REGION ?? 'us-east-1',
    maxAttempts: 4,
    // Servers that only speak like S3 often know neither hosts named after buckets nor its newer checksums.
    ...(AWS_ENDPOINT_URL
      ? {
          endpoint: AWS_ENDPOINT_URL,
          forcePathStyle: true,
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }
      : {}),
    ...(AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY
      ? {
          credentials: {
            accessKeyId: AWS_ACCESS_KEY_ID,
            secretAccessKey: AWS_SECRET_ACCESS_KEY,
            sessionToken: AWS_SESSION_TOKEN,
          },
        }
      : {}),
  };
}
