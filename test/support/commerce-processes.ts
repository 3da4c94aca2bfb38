import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { addClient, addCredential, makeDue } from '../../src/db/clients.ts';
import type { DatabaseConnection } from '../../src/db/connect.ts';
import type { Platform } from '../../src/domain/clients.ts';
import { createKeyRing, type KeyRing } from '../../src/key-ring.ts';
import type { Variables } from './durasync.ts';
import { type StartedDurasync, startDurasync } from './started-durasync.ts';

interface Engines {
  readonly database: DatabaseConnection & { readonly databaseUrl: string };
  readonly address: string;
  readonly namespace: string;
  /** Of the shops, and whatever else the processes should read. */
  readonly env: Readonly<Record<string, string>>;
}

export interface CommerceProcesses {
  readonly keys: KeyRing;
  /** The text of DURASYNC_SECRET_KEYS. */
  readonly secretKeys: string;
  /** What a `durasync` command needs to reach the engines. */
  readonly variables: Readonly<Record<string, string>>;
  /** Starts `durasync worker`, if wanted with other variables, and waits until it works. */
  startWorker(more?: Variables): Promise<StartedDurasync>;
  /** Adds a connection, and its client when that is missing. Due now, or in a day. Returns the credential's id. */
  connect(clientId: string, platform: Platform, secrets: object, due: 'now' | 'tomorrow'): Promise<string>;
}

/** Client workflows with workers as real processes on the given engines. Call it at the top level of a test file. */
export async function commerceProcesses(engines: Engines): Promise<CommerceProcesses> {
  const { database, address, namespace, env } = engines;
  const folder = await mkdtemp(join(tmpdir(), 'durasync-commerce-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const secretKeys = `k1:${randomBytes(32).toString('base64')}`;
  const keys = createKeyRing(secretKeys);
  const variables = {
    DURASYNC_HOME: join(folder, 'home'),
    DATABASE_URL: database.databaseUrl,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    DURASYNC_SECRET_KEYS: secretKeys,
    ...env,
  };
  return {
    keys,
    secretKeys,
    variables,
    async startWorker(more = {}) {
      const worker = startDurasync(['worker'], { ...variables, ...more });
      await worker.says('worker is ready');
      return worker;
    },
    async connect(clientId, platform, secrets, due) {
      await addClient(database.db, clientId, clientId);
      const credentials = JSON.stringify(secrets);
      const added = { clientId, platform, connectionName: platform, credentials, frequencyHours: 24 };
      const credentialId = await addCredential(database.db, keys, added);
      await makeDue(database.db, credentialId);
      if (due === 'tomorrow') {
        await database.pool.query(
          `UPDATE commerce.client_api_credentials
           SET due_at = due_at + '1 day', next_sync_at = next_sync_at + '1 day' WHERE credential_id = $1`,
          [credentialId],
        );
      }
      return credentialId;
    },
  };
}
