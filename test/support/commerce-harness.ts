import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { addClient, addCredential } from '../../src/db/clients.ts';
import type { ClientStatus, ClientWorkflows } from '../../src/domain/clients.ts';
import { createKeyRing, type KeyRing } from '../../src/key-ring.ts';
import { syncs } from '../../src/syncs/index.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { createWorkers } from '../../src/temporal/worker.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createTestDatabase, createTestNamespace, type TestDatabase } from './engines.ts';
import { emptyShop, type FakeShop, type FakeShopify, startFakeShopify } from './fake-shopify.ts';

export interface CommerceHarness {
  readonly database: TestDatabase;
  readonly client: Client;
  readonly clients: ClientWorkflows;
  readonly keys: KeyRing;
  readonly shopify: FakeShopify;
  readonly env: Record<string, string | undefined>;
  /** Adds a client with one Shopify connection that is due now, and its shop. Returns the credential's id. */
  addShop(clientId: string, shop?: Partial<FakeShop>, frequencyHours?: number): Promise<string>;
  /** Waits until the client's status satisfies `wanted`. */
  until(clientId: string, wanted: (status: ClientStatus) => boolean): Promise<ClientStatus>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

const WAIT_MS = 30_000;

/** Client workflows on real engines with workers in this process, if wanted with more variables, and a fake Shopify over real HTTP. */
export async function startCommerceHarness(
  more: Readonly<Record<string, string>> = {},
): Promise<CommerceHarness> {
  const [database, { client, address }, shopify] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startFakeShopify({}),
  ]);
  const env: Record<string, string | undefined> = { SHOPIFY_BASE_URL: shopify.url, ...more };
  const keys = createKeyRing(`k1:${randomBytes(32).toString('base64')}`);
  const connection = await NativeConnection.connect({ address });
  const http = createAgent();
  const workers = await createWorkers({
    connection,
    client,
    database,
    http,
    keys,
    syncs,
    env,
    log: pino({ level: 'silent' }),
    bundlePath: await ensureWorkflowBundle(SHARED_BUILDS),
  });
  const running = workers.map((worker) => worker.run());
  afterAll(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await http.close();
    await connection.close();
  });
  const clients = clientWorkflows(client);
  return {
    database,
    client,
    clients,
    keys,
    shopify,
    env,
    async addShop(clientId, shop = {}, frequencyHours = 24) {
      const domain = `${clientId.toLowerCase().replace(/[^a-z0-9]/g, '-')}.myshopify.com`;
      const full = emptyShop(shop);
      shopify.shops.set(domain, full);
      await addClient(database.db, clientId, `Client ${clientId}`);
      const credentials = JSON.stringify({ shop_domain: domain, access_token: full.accessToken });
      const added = {
        clientId,
        platform: 'shopify' as const,
        connectionName: 'main',
        credentials,
        frequencyHours,
      };
      const credentialId = await addCredential(database.db, keys, added);
      await database.pool.query(
        `UPDATE commerce.client_api_credentials SET due_at = now(), next_sync_at = now() WHERE credential_id = $1`,
        [credentialId],
      );
      return credentialId;
    },
    async until(clientId, wanted) {
      for (const giveUpAt = Date.now() + WAIT_MS; ;) {
        const status = await clients.status(clientId);
        if (status && wanted(status)) return status;
        if (Date.now() > giveUpAt)
          throw new Error(`client ${clientId} never got there: ${JSON.stringify(status)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}
