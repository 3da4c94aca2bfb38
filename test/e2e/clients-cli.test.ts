import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addClient, addCredential, makeDue } from '../../src/db/clients.ts';
import { createKeyRing, sealedWith } from '../../src/key-ring.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { emptyShop, startFakeShopify } from '../support/fake-shopify.ts';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { waitUntil } from '../support/wait-until.ts';

const WAIT_MS = 60_000;
const PROGRAM = fileURLToPath(new URL('../../src/cli/durasync.js', import.meta.url));
const SECRET = 'shpat_only-in-the-database';
const DOMAIN = 'cli.myshopify.com';

const database = await createTestDatabase();
const { client, address, namespace } = await createTestNamespace();
const shop = emptyShop({ accessToken: SECRET, customers: [fakeCustomer(1), fakeCustomer(2)] });
const shopify = await startFakeShopify({ [DOMAIN]: shop });
const folder = await mkdtemp(join(tmpdir(), 'durasync-clients-'));
const [oldKey, newKey] = ['k1', 'k2'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [
  string,
  string,
];
const keys = createKeyRing(oldKey);
const file = join(folder, 'credentials.json');
const variables = {
  DURASYNC_HOME: join(folder, 'home'),
  DATABASE_URL: database.databaseUrl,
  TEMPORAL_ADDRESS: address,
  TEMPORAL_NAMESPACE: namespace,
  DURASYNC_SECRET_KEYS: `${oldKey},${newKey}`,
  SHOPIFY_BASE_URL: shopify.url,
  USER: 'ada',
  NO_COLOR: '1',
};
let worker: ChildProcess | undefined;
/** Everything that any command or the worker has written. */
let written = '';

const start = (args: readonly string[], more: object = {}): ChildProcess => {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: '/',
    env: { ...process.env, ...variables, ...more },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (written += text));
  }
  return child;
};

async function run(args: readonly string[], { stdin = '', env = {} }: { stdin?: string; env?: object } = {}) {
  const child = start(args, env);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text: string) => (output.stdout += text));
  child.stderr?.on('data', (text: string) => (output.stderr += text));
  child.stdin?.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

const clients = (...args: string[]) => run(['clients', ...args]);

/** The one JSON document of a command that ends well. */
async function json(...args: string[]) {
  const { code, stdout, stderr } = await clients(...args, '--json');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const addArgs = (id: string, ...more: string[]): string[] => [
  'add',
  '--id',
  id,
  '--platform',
  'shopify',
  '--connection',
  'main',
  '--credentials-file',
  file,
  ...more,
];

const rows = async (query: string): Promise<Record<string, unknown>[]> =>
  (await database.pool.query(query)).rows;

/** A client that is there without a command, as a backup would bring it back. */
async function insertClient(id: string): Promise<string> {
  await addClient(database.db, id, id);
  return addCredential(database.db, keys, {
    clientId: id,
    platform: 'shopify',
    connectionName: 'main',
    credentials: JSON.stringify({ shop_domain: DOMAIN, access_token: SECRET }),
    frequencyHours: 24,
  });
}

beforeAll(async () => {
  await writeFile(file, JSON.stringify({ shop_domain: DOMAIN, access_token: SECRET }));
  await makeDue(database.db, await insertClient('restored'));
  worker = start(['worker']);
  await waitUntil('the worker is ready', () => written.includes('worker is ready'), WAIT_MS);
}, WAIT_MS);

afterAll(async () => {
  worker?.kill('SIGTERM');
  if (worker) await once(worker, 'close');
  await shopify.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a worker that starts', () => {
  test(
    'starts the clients whose workflow is missing',
    async () => {
      const query = `SELECT success FROM client_api_sync_results WHERE client_id = 'restored'`;
      await waitUntil('restored has run', async () => (await rows(query)).length === 1);
      expect(await rows(query)).toEqual([{ success: true }]);
    },
    WAIT_MS,
  );
});

describe('clients add', () => {
  test(
    'keeps the secrets sealed, makes the view and lets the client wait for its first turn',
    async () => {
      const added = await json(...addArgs('acme', '--name', 'Acme', '--every', '0.5'));
      expect(added).toMatchObject({
        client_id: 'acme',
        name: 'Acme',
        view_name: 'client_acme_data',
        connections: [{ platform_type: 'shopify', sync_frequency_hours: 0.5, status: 'pending' }],
      });
      expect(Date.parse(added.connections[0].next_sync_at) - Date.now()).toBeLessThan(1_800_000);
      const [row] = await rows(`SELECT credentials FROM client_api_credentials WHERE client_id = 'acme'`);
      expect(sealedWith(String(row?.['credentials']))).toBe('k1');
      const columns = await rows(`SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = 'commerce' AND table_name = 'client_acme_data' ORDER BY ordinal_position`);
      expect(columns.map(({ name }) => name)).toEqual([
        'client_id',
        'platform',
        'data_type',
        'external_id',
        'payload',
        'source_updated_at',
        'content_hash',
        'first_seen_at',
        'updated_at',
      ]);
      expect(await rows(`SELECT actor, action FROM audit_log WHERE subject = 'acme' ORDER BY id`)).toEqual([
        { actor: 'cli:ada', action: 'add client' },
        { actor: 'cli:ada', action: 'add credentials' },
      ]);
      expect(await clientWorkflows(client).running(['acme'])).toEqual(new Set(['acme']));
      const { stdout } = await clients('list');
      expect(stdout).toMatch(/^acme +Acme +shopify main +0\.5 h +pending/m);
    },
    WAIT_MS,
  );

  test(
    'takes the secrets from standard input, and keeps frequency and name of what was there',
    async () => {
      await json(...addArgs('piped', '--name', 'Piped', '--every', '6'));
      const args = ['clients', ...addArgs('piped').map((word) => (word === file ? '-' : word)), '--json'];
      const { code, stdout } = await run(args, { stdin: await readFile(file, 'utf8') });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ name: 'Piped', connections: [{ sync_frequency_hours: 6 }] });
    },
    WAIT_MS,
  );

  test(
    'gives clients whose ids differ little views of their own',
    async () => {
      const names = [];
      for (const id of ['twin-1', 'twin_1', 'Twin.1']) names.push((await json(...addArgs(id))).view_name);
      expect(names).toEqual([
        'client_twin_1_data',
        expect.stringMatching(/^client_twin_1_[0-9a-f]{6}_data$/),
        expect.stringMatching(/^client_twin_1_[0-9a-f]{6}_data$/),
      ]);
      expect(new Set(names).size).toBe(3);
      for (const name of names) expect(await rows(`SELECT * FROM ${name}`)).toEqual([]);
    },
    WAIT_MS,
  );

  test.each([
    ['an id with quotes and slashes', addArgs(`a'/"b`), '', /can't be a client id/],
    [
      'an unknown platform',
      [...addArgs('bad'), '--platform', 'etsy'],
      '',
      /--platform must be shopify or amazon/,
    ],
    ['a frequency of 0', addArgs('bad', '--every', '0'), '', /frequency of 0 hours/],
    ['a frequency of -1', addArgs('bad', '--every', '-1'), '', /frequency of -1 hours/],
    ['a frequency that is no number', addArgs('bad', '--every', 'often'), '', /--every must be a number/],
    [
      'a file that is not there',
      [...addArgs('bad'), '--credentials-file', '/nowhere'],
      '',
      /\/nowhere can't be read/,
    ],
    ['text that is not JSON', [...addArgs('bad'), '--credentials-file', '-'], SECRET, /are not JSON/],
    [
      'secrets of the wrong kind',
      [...addArgs('bad'), '--credentials-file', '-'],
      JSON.stringify({ shop_domain: 7, [SECRET]: SECRET }),
      /shop_domain: .*access_token: /,
    ],
  ])('refuses %s, without a secret in its words', async (_, args, stdin, message) => {
    const { code, stderr, stdout } = await run(['clients', ...args], { stdin });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(SECRET);
    expect(await rows(`SELECT 1 FROM clients WHERE client_id IN ('bad', 'a''/"b')`)).toEqual([]);
  });
});

describe('clients test', () => {
  test(
    'says which shop lets us in, and why one does not',
    async () => {
      await insertClient('tested');
      expect(await json('test', 'tested')).toMatchObject({
        connections: [{ connection_name: 'main', success: true, shop: 'A shop' }],
      });
      shop.accessToken = 'another';
      const { code, stdout } = await clients('test', 'tested');
      shop.accessToken = SECRET;
      expect(code).toBe(1);
      expect(stdout).toMatch(/✘ shopify main: .*(401|token)/);
    },
    WAIT_MS,
  );
});

describe('clients sync', () => {
  test(
    'waits for the run and shows how it ended',
    async () => {
      await insertClient('synced');
      const done = await json('sync', 'synced', '--platform', 'shopify');
      expect(done).toMatchObject({
        client_id: 'synced',
        state: 'started',
        runs: [
          { state: 'started', result: { sync: 'commerce', status: 'completed', total_rows_processed: 2 } },
        ],
      });
      expect(await json('show', 'synced')).toMatchObject({
        records: [{ data_type: 'customers', records: 2 }],
        results: [{ success: true, records_stored: 2, sync_triggered_by: 'cli:ada' }],
      });
      const { stdout } = await clients('show', 'synced');
      expect(stdout).toMatch(/ok +20.* 2 +cli:ada/);
    },
    WAIT_MS,
  );

  test(
    'ends with 1 when the shop does not let us in, and shows why without the token',
    async () => {
      await insertClient('revoked');
      shop.accessToken = 'another';
      const { code, stdout } = await clients('sync', 'revoked');
      shop.accessToken = SECRET;
      expect(code).toBe(1);
      expect(stdout).toMatch(/commerce failed/);
      expect((await json('show', 'revoked')).connections[0].status).toBe('error');
    },
    WAIT_MS,
  );

  test(
    'queues behind an open run and joins what is queued already',
    async () => {
      await insertClient('queued');
      shopify.script.set('every', { delayMs: 5_000 });
      const [first, second] = [
        await json('sync', 'queued', '--no-wait'),
        await json('sync', 'queued', '--no-wait'),
      ];
      const third = await json('sync', 'queued', '--no-wait');
      shopify.script.clear();
      expect([first.state, second.state, third.state]).toEqual(['started', 'queued', 'queued']);
      expect(third.workflow_id).toBe(second.workflow_id);
      expect(third.runs[0].coalesced_into).not.toBeNull();
      await waitUntil('nothing runs or waits any more', async () => {
        const [connection] = (await clientWorkflows(client).status('queued'))?.credentials ?? [];
        return connection?.running === null && connection.queued === null;
      });
      const done = await rows(`SELECT success FROM client_api_sync_results WHERE client_id = 'queued'`);
      expect(done).toEqual([{ success: true }, { success: true }]);
    },
    WAIT_MS,
  );

  test(
    'is refused for a paused client with the reason, until it is resumed',
    async () => {
      await insertClient('paused');
      await json('pause', 'paused', '--reason', 'stocktake');
      const one = await clients('sync', 'paused');
      expect(one).toMatchObject({ code: 2, stderr: expect.stringContaining('stocktake') });
      const all = await clients('sync', '--all', '--force');
      expect(all.code).toBe(1);
      expect(all.stdout).toMatch(/^paused +refused +.*stocktake/m);
      expect(all.stdout).toMatch(/^acme +started/m);
      await json('resume', 'paused');
      expect((await json('sync', 'paused', '--no-wait')).state).toBe('started');
    },
    WAIT_MS,
  );

  test.each([
    [['sync', 'nobody'], /Client 'nobody' does not exist/],
    [['sync'], /Name a client/],
    [['sync', 'acme', '--platform', 'amazon'], /no connection to amazon/],
    [['show', 'nobody'], /does not exist/],
    [['pause', 'nobody'], /does not exist/],
    [['test', 'nobody'], /does not exist/],
    [['set-frequency', 'acme', '0'], /frequency of 0 hours/],
    [['remove', 'acme', '--purge'], /add --yes/],
  ])('clients %j is refused with what to do', async (args, message) => {
    expect(await clients(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });
});

describe('clients set-frequency', () => {
  test(
    'reaches the row and the workflow',
    async () => {
      await json(...addArgs('often'));
      expect(await json('set-frequency', 'often', '0.25')).toMatchObject({
        connections: [{ sync_frequency_hours: 0.25 }],
      });
      await waitUntil('its workflow knows', async () => {
        const status = await clientWorkflows(client).status('often');
        return status?.credentials[0]?.frequencyHours === 0.25;
      });
    },
    WAIT_MS,
  );
});

describe('clients remove', () => {
  test(
    'keeps the data, and purges it when asked twice; the client can come back',
    async () => {
      await json(...addArgs('gone'));
      await json('sync', 'gone');
      expect(await json('remove', 'gone')).toEqual({ client_id: 'gone', removed: true, purged: null });
      expect(await rows('SELECT 1 FROM client_gone_data')).toHaveLength(2);
      expect((await clients('list')).stdout).toMatch(/^gone .*removed/m);
      await waitUntil('it ended', async () => (await clientWorkflows(client).running(['gone'])).size === 0);
      expect(await json('remove', 'gone', '--purge', '--yes')).toMatchObject({
        purged: { client_data: 2, sync_results: 1 },
      });
      for (const table of ['clients', 'client_api_credentials', 'client_data', 'client_api_sync_results']) {
        expect(await rows(`SELECT 1 FROM ${table} WHERE client_id = 'gone'`), table).toEqual([]);
      }
      await expect(rows('SELECT 1 FROM client_gone_data')).rejects.toThrow(/does not exist/);
      await json(...addArgs('gone'));
      const again = await json('sync', 'gone');
      // Its cursors are purged too, so everything comes again.
      expect(
        again.runs[0].result.tables.find(({ table }: { table: string }) => table === 'customers').inserted,
      ).toBe(2);
    },
    WAIT_MS,
  );
});

describe('keys rotate', () => {
  const sealed = async (): Promise<string[]> =>
    (await rows('SELECT credentials FROM client_api_credentials')).map((row) =>
      sealedWith(String(row['credentials'])),
    );
  const rotate = (ring: string) => run(['keys', 'rotate', '--json'], { env: { DURASYNC_SECRET_KEYS: ring } });

  test(
    'seals every credential with the first key, once, and the worker opens them',
    async () => {
      const before = await sealed();
      const first = await rotate(`${newKey},${oldKey}`);
      expect(JSON.parse(first.stdout)).toEqual({ key_id: 'k2', rotated: before.length, current: 0 });
      expect(new Set(await sealed())).toEqual(new Set(['k2']));
      const second = await rotate(`${newKey},${oldKey}`);
      expect(JSON.parse(second.stdout)).toEqual({ key_id: 'k2', rotated: 0, current: before.length });
      expect((await json('sync', 'acme')).runs[0].result.status).toBe('completed');
    },
    WAIT_MS,
  );

  test(
    'changes nothing and names the credential and the key when a key is missing',
    async () => {
      const id = await insertClient('needs-k1');
      const before = await rows('SELECT credentials FROM client_api_credentials ORDER BY 1');
      const other = `k3:${randomBytes(32).toString('base64')}`;
      const { code, stderr } = await rotate(`${other},${newKey}`);
      expect(code).toBe(2);
      expect(stderr).toContain(id);
      expect(stderr).toContain("'k1'");
      expect(await rows('SELECT credentials FROM client_api_credentials ORDER BY 1')).toEqual(before);
    },
    WAIT_MS,
  );
});

// The last one, so that it sees the output of all commands above and of the worker.
test('no command and no log of the worker shows a secret', () => {
  expect(written).toContain('restored');
  expect(written).not.toContain(SECRET);
});
