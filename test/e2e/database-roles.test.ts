import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { connectDatabase } from '../../src/db/connect.ts';
import { cars } from '../../src/syncs/cars/index.ts';
import { defineCommerce } from '../../src/syncs/commerce/index.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { createWorld, CLIENTS, domainOf, SYNCS, variablesOf } from '../chaos/world.ts';
import { createRandom } from '../chaos/random.ts';
import { findBroken, findDifferences } from '../chaos/check.ts';
import { runOnce } from '../chaos/drivers.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { createTestDatabase, createTestNamespace, testEngine } from '../support/engines.ts';
import { startFakeAuctions } from '../support/fake-auctions.ts';
import { startFakeRentals } from '../support/fake-rentals.ts';
import { startFakeSales } from '../support/fake-sales.ts';
import { startFakeShopify } from '../support/fake-shopify.ts';
import { faultFleet } from '../support/fault-fleet.ts';
import { startWorkerHere } from '../support/fault-worker.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { quickRentals } from '../support/quick-rentals.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const [database, { address, namespace, client }, exports, rentals, auctions, shopify, salesApi] =
  await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startCsvServer(),
    startFakeRentals(),
    startFakeAuctions(),
    startFakeShopify({}),
    startFakeSales(),
  ]);
afterAll(() => shopify.close());
const { adminUrl } = await testEngine('/postgres');
const suffix = randomBytes(4).toString('hex');

async function asAdmin(...statements: string[]): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  for (const statement of statements) await admin.query(statement);
  await admin.end();
}

/** A user who may do what the role may, and nothing else. */
async function userOf(role: 'durasync_worker' | 'durasync_api'): Promise<string> {
  const name = `${role}_${suffix}`;
  const password = randomBytes(12).toString('hex');
  await asAdmin(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' IN ROLE ${role}`);
  return Object.assign(new URL(database.databaseUrl), { username: name, password }).href;
}

const [workerUrl, apiUrl] = [await userOf('durasync_worker'), await userOf('durasync_api')];
const asWorker = connectDatabase({ databaseUrl: workerUrl, applicationName: 'durasync test' });
const asApi = connectDatabase({ databaseUrl: apiUrl, applicationName: 'durasync test' });
const api = await startHttpHarness({ database: asApi, client, keys: TEST_KEYS });
afterAll(async () => {
  await Promise.all([asWorker.close(), asApi.close()]);
  for (const role of ['durasync_worker', 'durasync_api']) {
    await database.pool.query(`DROP OWNED BY ${role}_${suffix}`);
    await asAdmin(`DROP ROLE ${role}_${suffix}`);
  }
});

const sources = { exports, rentals, auctions, shopify, sales: salesApi };
const world = createWorld(createRandom(1), sources);

beforeAll(async () => {
  const worker = await startWorkerHere(
    {
      address,
      namespace,
      taskQueue: 'durasync',
      databaseUrl: workerUrl,
      env: variablesOf((source) => new URL(sources[source as keyof typeof sources].url).origin),
      bundles: SHARED_BUILDS,
    },
    [faultFleet, quickRentals, cars, defineCommerce(), sales],
  );
  afterAll(() => worker.stop());
});

describe('as members of durasync_worker and durasync_api alone', () => {
  test('the API adds clients, and the worker runs every sync twice, with changes between', async () => {
    const { admin: token } = api.tokens;
    for (const id of CLIENTS) {
      await api.call('POST /api/clients', { token, body: { client_id: id, name: id } });
      const access = shopify.shops.get(domainOf(id))?.accessToken;
      const answer = await api.call(`POST /api/clients/${id}/credentials`, {
        token,
        body: {
          platform_type: 'shopify',
          connection_name: 'main',
          credentials: { shop_domain: domainOf(id), access_token: access },
          sync_frequency_hours: 24,
        },
      });
      expect(answer.status).toBe(201);
    }
    for (const round of [1, 2]) {
      if (round === 2) for (const sync of SYNCS) world.evolve(sync);
      await Promise.all(SYNCS.map((sync) => runOnce(client, sync)));
    }
    const failed = await database.pool.query(
      `SELECT sync, table_name, t.error_message FROM durasync.sync_run_tables t JOIN durasync.sync_runs r USING (run_id)
       WHERE r.status <> 'completed'`,
    );
    expect(failed.rows).toEqual([]);
    expect(await findBroken(database.pool)).toEqual([]);
    expect(await findDifferences(database.pool, world.expected())).toEqual([]);
    expect(await clientWorkflows(client).status('ahead')).not.toBeNull();
  }, 120_000);

  test('the API shows runs, clients and the quarantine', async () => {
    const { admin: token } = api.tokens;
    for (const route of [
      'GET /api/runs',
      'GET /api/clients',
      'GET /api/quarantine',
      'GET /api/clients/ahead',
    ]) {
      expect([route, (await api.call(route, { token })).status]).toEqual([route, 200]);
    }
  });

  test('the API removes a client with all of its data', async () => {
    const answer = await api.call('DELETE /api/clients/behind?purge=true', { token: api.tokens.admin });
    expect(answer.status).toBe(200);
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS records FROM commerce.client_data WHERE client_id = 'behind'`,
    );
    expect(rows).toEqual([{ records: 0 }]);
  });

  test.each([
    'SELECT 1 FROM durasync.api_tokens',
    'SELECT 1 FROM durasync.sessions',
    'CREATE TABLE fleet.more (id integer)',
    'ALTER TABLE fleet.vehicles ADD more integer',
    'DROP TABLE fleet.vehicles',
    'TRUNCATE fleet.vehicles',
    'DELETE FROM durasync.migrations',
    'CREATE SCHEMA more',
    'CREATE ROLE more',
    `SELECT commerce.make_client_view('x', 'client_data')`,
    'DROP VIEW commerce.client_ahead_data',
  ])('the worker may not: %s', async (statement) => {
    await expect(asWorker.pool.query(statement)).rejects.toThrow(
      /permission denied|must be owner|not the name/,
    );
  });

  test.each([
    `UPDATE fleet.vehicles SET color = 'Red'`,
    'DELETE FROM cars.cars',
    `UPDATE durasync.sync_runs SET status = 'completed'`,
    'DELETE FROM fleet.media_partners',
    'UPDATE durasync.watermarks SET value = now()',
    'CREATE TABLE durasync_staging.more (id integer)',
    'DROP TABLE durasync.sync_runs',
    'CREATE ROLE more',
  ])('the API may not: %s', async (statement) => {
    await expect(asApi.pool.query(statement)).rejects.toThrow(/permission denied|must be owner/);
  });
});
