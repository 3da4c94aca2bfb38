import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll } from 'vitest';

export const BUCKET = 'durasync-test';

/** An S3-compatible server on loopback with one empty bucket, and the settings that lead to it. It takes any key. */
export async function startS3(): Promise<{ readonly env: Readonly<Record<string, string>> }> {
  const directory = await mkdtemp(join(tmpdir(), 'durasync-test-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = await server.run();
  afterAll(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    env: {
      AWS_S3_BACKUP_BUCKET: BUCKET,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    },
  };
}
