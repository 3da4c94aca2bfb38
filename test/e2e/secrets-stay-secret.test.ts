import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyRing } from '../../src/key-ring.ts';
import { startEmbeddedTemporal } from '../../src/temporal/embedded-server.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { at, order } from '../support/amazon-shop.ts';
import { commerceProcesses } from '../support/commerce-processes.ts';
import { durasync } from '../support/durasync.ts';
import { createTestDatabase, testEngine } from '../support/engines.ts';
import { startFakeAmazon } from '../support/fake-amazon.ts';
import { emptyShop, startFakeShopify } from '../support/fake-shopify.ts';
import { fakeCustomer, fakeOrder } from '../support/fake-shopify-records.ts';
import { found } from '../support/find-secrets.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { type GateRule, startShopGate } from '../support/shop-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

const WAIT_MS = 180_000;

const { cliPath } = await testEngine('/temporal');
const folder = await mkdtemp(join(tmpdir(), `durasync-test-${process.pid}-`));
const port = { use: 'Temporal', preferred: 29_000, fixedBy: null };
// A server of its own, which keeps its state in a file that can be searched.
const temporal = await startEmbeddedTemporal({
  cliPath,
  dataDir: join(folder, 'temporal'),
  state: 'kept',
  port,
  uiPort: { ...port, use: "Temporal's Web UI" },
  namespaces: ['default'],
  logFile: join(folder, 'temporal.log'),
});
const connection = await Connection.connect({ address: temporal.address });
const client = new Client({ connection });
afterAll(async () => {
  await connection.close();
  await temporal.stop();
  await rm(folder, { recursive: true });
});
const database = await createTestDatabase();
const shopify = await startFakeShopify({});
const amazon = await startFakeAmazon();
const gate = await startShopGate(shopify.url);
const processes = await commerceProcesses({
  database,
  address: temporal.address,
  namespace: 'default',
  env: {
    SHOPIFY_BASE_URL: gate.url,
    AMAZON_SPAPI_BASE_URL: amazon.settings.spApiBaseUrl,
    AMAZON_LWA_URL: amazon.settings.lwaUrl,
    COMMERCE_LOOKBACK_DAYS: '3650',
    LOG_LEVEL: 'debug',
  },
});
const api = await startHttpHarness({ database, client, keys: processes.keys });
const limit = pLimit(3);

const rows = async (query: string): Promise<Record<string, unknown>[]> =>
  (await database.pool.query(query)).rows;

/** Every secret, by a name that may be shown. */
const secrets: Record<string, string> = {
  'sealing key': processes.secretKeys.replace('k1:', ''),
  'client secret': amazon.credentials.client_secret,
  'refresh token': amazon.credentials.refresh_token,
  'refused client secret': 'refused/secret+0f1e2d3c4b5a69788796',
  'refused refresh token': 'Atzr|refused/token+a1b2c3d4e5f60718',
};
/** Where nothing of them may be. */
const haystacks = new Map<string, Buffer>();

/** The shops by their client, and what each says instead of its answer. */
const rules: Readonly<Record<string, (token: string) => GateRule>> = {
  good: () => () => undefined,
  marker: (token) => () => ({ status: 401, body: { errors: `Invalid access token ${token}` } }),
  broken: (token) => customersSay({ status: 500, body: `it broke at ${token}` }),
  repeats: (token) =>
    customersSay({
      body: {
        errors: [
          { message: `${token} (${encodeURIComponent(token)})`, extensions: { code: 'ACCESS_DENIED' } },
        ],
      },
    }),
  // The record that is kept in quarantine holds the token itself.
  quarantines: (token) => (request) =>
    request.operation === 'Orders'
      ? { body: { data: { orders: { nodes: [{ ...WITHOUT_ID, note: token }], pageInfo: LAST } } } }
      : undefined,
  'unknown-key': () => () => undefined,
  'no-json': () => () => undefined,
  'other-fields': () => () => undefined,
};

const customersSay =
  (answer: ReturnType<GateRule>): GateRule =>
  ({ operation }) =>
    operation === 'Customers' ? answer : undefined;
const LAST = { hasNextPage: false, endCursor: null };
const WITHOUT_ID = { ...fakeOrder(1), id: null, lineItems: { nodes: [], pageInfo: LAST } };

/** What `client_api_sync_results` says about each client's run; null when it went well. */
const messages: Readonly<Record<string, RegExp | null>> = {
  good: null,
  marker: /access token is refused/,
  broken: /500/,
  repeats: /It says: \(token\) \(\(token\)\)/,
  quarantines: /quarantined/,
  'unknown-key': /the key 'k9'/,
  'no-json': /not JSON/,
  'other-fields': /do not have the fields/,
  vendor: null,
  'vendor-refused': /invalid_grant/,
  'vendor-denied': /Amazon says/,
};

const domainOf = (id: string): string => `${id}-shop.myshopify.com`;

async function addShop(id: string): Promise<void> {
  const token = `shpat_${id}/+${randomBytes(16).toString('hex')}`;
  secrets[`access token of ${id}`] = token;
  gate.rules.set(domainOf(id), rules[id]?.(token) ?? (() => undefined));
  shopify.shops.set(domainOf(id), emptyShop({ accessToken: token, customers: [fakeCustomer(1)] }));
  const opened = { shop_domain: domainOf(id), access_token: token };
  const credentialId = await processes.connect(id, 'shopify', opened, 'tomorrow');
  const store = (sealed: string) =>
    rows(`UPDATE commerce.client_api_credentials SET credentials = '${sealed}'
          WHERE credential_id = '${credentialId}'`);
  const edited = { 'no-json': token, 'other-fields': JSON.stringify({ ...opened, [token]: 1 }) }[id];
  if (edited !== undefined) await store(processes.keys.seal(edited, credentialId));
  if (id !== 'unknown-key') return;
  const other = createKeyRing(`k9:${randomBytes(32).toString('base64')}`);
  await store(other.seal(JSON.stringify(opened), credentialId));
}

/** Forces a run and waits until its outcome is stored. */
async function sync(id: string): Promise<void> {
  const clients = clientWorkflows(client);
  await clients.start([id]);
  await clients.requestSync(id, { requestedBy: 'test' });
  await waitUntil(
    `${id} has run`,
    async () =>
      (await rows(`SELECT 1 FROM commerce.client_api_sync_results WHERE client_id = '${id}'`)).length > 0,
    WAIT_MS,
  );
}

/** One after the other, because what the next answer will be is said beforehand. */
async function syncAmazon(): Promise<void> {
  const { credentials } = amazon;
  amazon.data.orders.push(order(1), order(2, { lastUpdatedTime: at(2) }));
  await processes.connect('vendor', 'amazon', credentials, 'tomorrow');
  await sync('vendor');
  const refused = {
    ...credentials,
    client_secret: secrets['refused client secret'],
    refresh_token: secrets['refused refresh token'],
  };
  const repeated = `${refused.client_secret} ${encodeURIComponent(String(refused.refresh_token))}`;
  amazon.script('lwa', {
    status: 400,
    body: { error: 'invalid_grant', error_description: `Refused: ${repeated} ${refused.refresh_token}` },
  });
  await processes.connect('vendor-refused', 'amazon', refused, 'tomorrow');
  await sync('vendor-refused');
  amazon.script('searchOrders', {
    status: 400,
    body: (token) => ({ errors: [{ code: 'InvalidInput', message: `not with ${token}`, details: '' }] }),
  });
  await processes.connect('vendor-denied', 'amazon', credentials, 'tomorrow');
  await sync('vendor-denied');
  for (const { answer } of amazon.callsOf('lwa')) {
    const token = (answer as { access_token?: string } | undefined)?.access_token;
    if (token !== undefined) secrets[`LWA access token ${Object.keys(secrets).length}`] = token;
  }
}

/** Everything that commands print about these clients, also for people who ask for more. */
async function commandOutput(): Promise<string> {
  const file = join(folder, 'credentials.json');
  const token = secrets['access token of good'];
  await writeFile(file, JSON.stringify({ shop_domain: domainOf('good'), access_token: token }));
  const add = ['clients', 'add', '--platform', 'shopify', '--connection', 'main', '--id'];
  const wrong = join(folder, 'wrong.json');
  await writeFile(wrong, JSON.stringify({ shop_domain: domainOf('good'), [String(token)]: token }));
  const [held] = await rows(`SELECT run_id FROM durasync.sync_runs WHERE status = 'held'`);
  const [quarantined] = await rows('SELECT id FROM durasync.quarantined_rows');
  const commands = [
    [...add, 'by-command', '--credentials-file', file],
    [...add, 'by-command', '--credentials-file', wrong, '--debug'],
    ['clients', 'list'],
    ['clients', 'list', '--json'],
    ['clients', 'show', 'marker'],
    ['clients', 'show', 'repeats', '--json'],
    ['clients', 'test', 'marker', '--debug'],
    ['clients', 'test', 'unknown-key', '--debug'],
    ['clients', 'test', 'vendor-refused', '--debug'],
    ['clients', 'sync', 'good', '--json'],
    ['clients', 'sync', 'marker', '--debug'],
    ['runs'],
    ['runs', 'show', String(held?.['run_id']), '--json'],
    ['quarantine', 'list', '--json'],
    ['quarantine', 'show', String(quarantined?.['id'])],
    ['status', '--json'],
  ];
  const finished = await Promise.all(
    commands.map((words) => limit(() => durasync(words, processes.variables))),
  );
  return finished.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

async function apiAnswers(): Promise<string> {
  const { admin: token } = api.tokens;
  const runIds = await rows('SELECT run_id FROM durasync.sync_runs');
  const calls: [string, unknown?][] = [
    ['GET /api/clients'],
    ...Object.keys(messages).map((id): [string] => [`GET /api/clients/${id}`]),
    ['GET /api/runs'],
    ...runIds.map((row): [string] => [`GET /api/runs/${String(row['run_id'])}`]),
    ['GET /api/quarantine'],
    ['POST /api/clients/marker/sync'],
  ];
  const opened = { shop_domain: domainOf('good'), access_token: secrets['access token of good'] };
  const given = { platform_type: 'shopify', connection_name: 'main', credentials: opened };
  calls.push(['POST /api/clients/good/credentials', given]);
  calls.push([
    'POST /api/clients/good/credentials',
    { ...given, credentials: { ...opened, [opened.access_token ?? '']: 1 } },
  ]);
  calls.push(['POST /api/clients/good/credentials', { ...given, platform_type: opened.access_token }]);
  const answers = await Promise.all(calls.map(([call, body]) => api.call(call, { token, body })));
  return answers.map(({ body, headers }) => JSON.stringify([body, [...headers]])).join('\n');
}

/** Every row of every table as text, staging and the sealed column too. */
async function databaseAsText(): Promise<string> {
  const tables = await rows(`
    SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')`);
  const texts = await Promise.all(
    tables.map(({ name }) => rows(`SELECT '${String(name)}' AS name, t::text AS row FROM ${String(name)} t`)),
  );
  return texts
    .flat()
    .map(({ name, row }) => `${String(name)} ${String(row)}`)
    .join('\n');
}

/** Every file of a backup, unpacked. */
async function backupContents(): Promise<Buffer> {
  const created = await durasync(['backup', 'create', '--json'], processes.variables);
  const { location } = JSON.parse(created.stdout) as { location: string };
  const names = await readdir(location, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return Buffer.concat(
    contents.map((each, index) => (files[index]?.endsWith('.gz') ? gunzipSync(each) : each)),
  );
}

beforeAll(async () => {
  const worker = await processes.startWorker();
  await Promise.all(Object.keys(rules).map(addShop));
  await Promise.all([...Object.keys(rules).map(sync), syncAmazon()]);
  haystacks.set('commands', Buffer.from(await commandOutput()));
  haystacks.set('API answers', Buffer.from(await apiAnswers()));
  haystacks.set('PostgreSQL', Buffer.from(await databaseAsText()));
  haystacks.set('backup', await backupContents());
  worker.child.kill('SIGTERM');
  await worker.exited;
  haystacks.set('worker log', Buffer.from(worker.output()));
  // So that its file is whole, and no journal of it comes and goes.
  await temporal.stop();
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    name.includes('temporal.sqlite'),
  );
  const state = await Promise.all(files.map((name) => readFile(join(folder, name))));
  haystacks.set("Temporal's file", Buffer.concat(state));
}, 2 * WAIT_MS);

describe('what the runs came to', () => {
  test.each(Object.entries(messages))('of %s is %s', async (id, message) => {
    const [result] = await rows(`SELECT success, error_message FROM commerce.client_api_sync_results
                                 WHERE client_id = '${id}' ORDER BY started_at LIMIT 1`);
    expect(result?.['success']).toBe(message === null);
    expect(String(result?.['error_message'])).toMatch(message ?? /^null$/);
  });

  test('left a quarantined record and its staging behind', async () => {
    const names = [...(haystacks.get('PostgreSQL') ?? '').toString().matchAll(/^\S+/gm)].map(
      ([name]) => name,
    );
    expect(names).toEqual(
      expect.arrayContaining(['durasync.quarantined_rows', 'durasync.audit_log', 'durasync.sync_runs']),
    );
    expect(names.some((name) => name.startsWith('durasync_staging.'))).toBe(true);
  });
});

describe.each(['commands', 'API answers', 'PostgreSQL', 'backup', 'worker log', "Temporal's file"])(
  '%s',
  (name) => {
    test('shows the shop that is refused, so what is there is found', () => {
      expect(found(haystacks.get(name) ?? Buffer.of(), { marker: domainOf('marker') })).toEqual(['marker']);
    });

    test('shows no secret in any form', () => {
      expect(Object.keys(secrets).length).toBeGreaterThan(12);
      expect(found(haystacks.get(name) ?? Buffer.of(), secrets)).toEqual([]);
    });
  },
);
