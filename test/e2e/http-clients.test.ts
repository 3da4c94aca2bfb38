import { beforeEach, describe, expect, test } from 'vitest';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { emptyShop } from '../support/fake-shopify.ts';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const commerce = await startCommerceHarness();
const { database, client, env, keys, shopify } = commerce;
const api = await startHttpHarness({ database, client, env, keys });
const SECRET = 'shpat_never-shown-to-anybody';

/** Every body that was answered, to look for secrets in. */
const answers: string[] = [];

async function call(what: string, body?: unknown, token = api.tokens.admin) {
  const answer = await api.call(what, { body, token });
  answers.push(JSON.stringify(answer.body));
  return answer;
}

const credentials = { shop_domain: 'http.myshopify.com', access_token: SECRET };
const connection = {
  platform_type: 'shopify',
  connection_name: 'main',
  credentials,
  sync_frequency_hours: 12,
};

async function addShop(id: string): Promise<void> {
  await call('POST /api/clients', { client_id: id, name: `Client ${id}` });
  await call(`POST /api/clients/${id}/credentials`, connection);
}

/** Waits until so many runs of a client are recorded, and its workflow knows that. */
const hasRun = (id: string, runs: number): Promise<void> =>
  waitUntil(`${id} has run ${runs} times`, async () => {
    const { body } = await call(`GET /api/clients/${id}`);
    const workflow = body['workflow'] as { running: unknown }[] | null;
    return (
      (body['results'] as unknown[]).length === runs &&
      workflow?.every(({ running }) => running === null) === true
    );
  });

const auditOf = async (id: string): Promise<unknown[]> =>
  commerce.rows(`SELECT actor, action FROM durasync.audit_log WHERE subject = '${id}' ORDER BY id`);

beforeEach(() => {
  shopify.shops.set(
    'http.myshopify.com',
    emptyShop({ accessToken: SECRET, customers: [fakeCustomer(1), fakeCustomer(2)] }),
  );
});

describe('adding a client', () => {
  test('answers with it, and its connection without secrets', async () => {
    const added = await call('POST /api/clients', { client_id: 'added', name: 'Added' });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ client_id: 'added', view_name: 'client_added_data', connections: [] });
    expect((await call('POST /api/clients', { client_id: 'added' })).body).toMatchObject({ name: 'Added' });
    const connected = await call('POST /api/clients/added/credentials', connection);
    expect(connected.status).toBe(201);
    expect(connected.body).toMatchObject({
      platform_type: 'shopify',
      sync_frequency_hours: 12,
      status: 'pending',
    });
    expect(connected.body).not.toHaveProperty('credentials');
    const again = await call('POST /api/clients/added/credentials', {
      ...connection,
      sync_frequency_hours: undefined,
    });
    expect(again.body).toMatchObject({
      credential_id: connected.body['credential_id'],
      sync_frequency_hours: 12,
    });
    const { body } = await call('GET /api/clients?limit=1&after=adde');
    expect(body).toEqual([expect.objectContaining({ client_id: 'added' })]);
    expect(await auditOf('added')).toEqual([
      { actor: 'token:admin', action: 'add client' },
      { actor: 'token:admin', action: 'add client' },
      { actor: 'token:admin', action: 'add credentials' },
      { actor: 'token:admin', action: 'replace credentials' },
    ]);
  });

  test.each([
    ['an id with a quote', '/api/clients', { client_id: "a'b" }],
    ['an id with a slash', '/api/clients', { client_id: 'a/b' }],
    ['no id', '/api/clients', { name: 'x' }],
    ['an unknown platform', '/api/clients/given/credentials', { ...connection, platform_type: 'etsy' }],
    [
      'a missing secret',
      '/api/clients/given/credentials',
      { ...connection, credentials: { access_token: SECRET } },
    ],
    [
      'a field too many, named like a secret',
      '/api/clients/given/credentials',
      { ...connection, credentials: { ...credentials, [SECRET]: 1 } },
    ],
    ['a frequency of 0', '/api/clients/given/credentials', { ...connection, sync_frequency_hours: 0 }],
    ['a frequency of -1', '/api/clients/given/credentials', { ...connection, sync_frequency_hours: -1 }],
    [
      'a blank name of the connection',
      '/api/clients/given/credentials',
      { ...connection, connection_name: ' ' },
    ],
  ])('refuses %s', async (_, path, body) => {
    await call('POST /api/clients', { client_id: 'given' });
    const { status, body: problem } = await call(`POST ${path}`, body);
    expect(status).toBe(400);
    expect(problem['type']).toBe('urn:durasync:problem:invalid-request');
    expect(await commerce.rows(`SELECT 1 FROM client_api_credentials WHERE client_id = 'given'`)).toEqual([]);
  });

  test('refuses what is about a client that is not there', async () => {
    for (const [what, body] of [
      ['GET /api/clients/nobody'],
      ['POST /api/clients/nobody/credentials', connection],
      ['POST /api/clients/nobody/sync'],
      ['POST /api/clients/nobody/pause'],
      ['POST /api/clients/nobody/resume'],
      ['PUT /api/clients/nobody/frequency', { hours: 1 }],
      ['DELETE /api/clients/nobody'],
      ['DELETE /api/clients/nobody?purge=true'],
      ['POST /api/admin/trigger-api-sync?client_id_filter=nobody'],
    ] as const) {
      const { status, body: problem } = await call(what, body);
      expect(status, what).toBe(404);
      expect(problem['detail'], what).toContain('nobody');
    }
  });
});

describe('a client', () => {
  test('syncs when asked, and shows its records and its run', async () => {
    await addShop('asked');
    const { status, body } = await call(
      'POST /api/clients/asked/sync',
      { platform: 'shopify' },
      api.tokens.operator,
    );
    expect(status).toBe(202);
    expect(body).toMatchObject({ client_id: 'asked', state: 'started', runs: [{ coalesced_into: null }] });
    await hasRun('asked', 1);
    const shown = await call('GET /api/clients/asked');
    expect(shown.body).toMatchObject({
      records: [{ platform: 'shopify', data_type: 'customers', records: 2 }],
      results: [{ success: true, records_stored: 2, sync_triggered_by: 'token:operator' }],
      workflow: [{ running: null, queued: null }],
      connections: [{ status: 'connected' }],
    });
    expect(await commerce.rows('SELECT external_id FROM client_asked_data ORDER BY 1')).toEqual([
      { external_id: '1' },
      { external_id: '2' },
    ]);
  });

  test('is refused a platform it has no connection to', async () => {
    await addShop('one-platform');
    const { status, body } = await call('POST /api/clients/one-platform/sync', { platform: 'amazon' });
    expect(status).toBe(400);
    expect(body['detail']).toContain('no connection to amazon');
  });

  test('that is paused is refused with the reason until it is resumed', async () => {
    await addShop('resting');
    const paused = await call('POST /api/clients/resting/pause', { reason: 'stocktake' });
    expect(paused.body).toMatchObject({ connections: [{ paused: true, paused_reason: 'stocktake' }] });
    const { status, body } = await call('POST /api/clients/resting/sync');
    expect(status).toBe(409);
    expect(body).toMatchObject({ type: 'urn:durasync:problem:client-paused' });
    expect(body['detail']).toContain('stocktake');
    const resumed = await call('POST /api/clients/resting/resume');
    expect(resumed.body).toMatchObject({ connections: [{ paused: false, paused_reason: null }] });
    expect((await call('POST /api/clients/resting/sync')).status).toBe(202);
    await hasRun('resting', 1);
  });

  test('takes another frequency, in its workflow too', async () => {
    await addShop('often');
    const { status, body } = await call('PUT /api/clients/often/frequency', { hours: 0.5 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ connections: [{ sync_frequency_hours: 0.5 }] });
    await commerce.until('often', ({ credentials: [first] }) => first?.frequencyHours === 0.5);
    for (const hours of [0, -1]) {
      expect((await call('PUT /api/clients/often/frequency', { hours })).status).toBe(400);
    }
  });

  test('that is removed ends its workflow and keeps its data until that is purged', async () => {
    await addShop('leaving');
    await call('POST /api/clients/leaving/sync');
    await hasRun('leaving', 1);
    const removed = await call('DELETE /api/clients/leaving');
    expect(removed.body).toEqual({ client_id: 'leaving', removed: true, purged: null });
    await waitUntil(
      'its workflow has ended',
      async () => (await commerce.clients.running(['leaving'])).size === 0,
    );
    expect((await call('GET /api/clients/leaving')).body).toMatchObject({
      active: false,
      records: [{ records: 2 }],
    });
    expect((await call('POST /api/clients/leaving/sync')).status).toBe(404);
    const purged = await call('DELETE /api/clients/leaving?purge=true');
    expect(purged.body).toMatchObject({ purged: { client_data: 2, sync_results: 1 } });
    expect((await call('GET /api/clients/leaving')).status).toBe(404);
  });

  test('that is purged while a run goes on loses all it has, also what the run would still write', async () => {
    await addShop('busy');
    shopify.script.set('every', { delayMs: 1_500 });
    try {
      await call('POST /api/clients/busy/sync');
      await waitUntil('its run is open', async () => {
        const query = `SELECT 1 FROM sync_runs JOIN client_api_credentials ON scope = credential_id::text WHERE client_id = 'busy'`;
        return (await commerce.rows(query)).length === 1;
      });
      expect((await call('DELETE /api/clients/busy?purge=true')).status).toBe(200);
    } finally {
      shopify.script.clear();
    }
    expect(await commerce.clients.running(['busy'])).toEqual(new Set());
    for (const table of [
      'clients',
      'client_api_credentials',
      'client_data',
      'client_api_sync_results',
      'sku_cache',
    ]) {
      expect(await commerce.rows(`SELECT 1 FROM ${table} WHERE client_id = 'busy'`), table).toEqual([]);
    }
    expect(await commerce.rows(`SELECT to_regclass('commerce.client_busy_data') AS view`)).toEqual([
      { view: null },
    ]);
  }, 60_000);
});

describe('trigger-api-sync', () => {
  beforeEach(async () => {
    await database.pool.query(`UPDATE commerce.clients SET active = false`);
    for (const id of ['one', 'two']) await addShop(id);
  });

  const trigger = async (query: string) => (await call(`POST /api/admin/trigger-api-sync?${query}`)).body;

  test('without force says when those that are not due are', async () => {
    expect(await trigger('')).toMatchObject({
      started: 0,
      not_due: 2,
      clients: [
        { client_id: 'one', state: 'not_due', reason: expect.stringMatching(/^due at 20/) },
        { client_id: 'two', state: 'not_due' },
      ],
    });
  });

  test('without force starts those that are due, once', async () => {
    await database.pool.query(`
      DELETE FROM commerce.client_api_sync_results WHERE client_id = 'two';
      UPDATE commerce.client_api_credentials SET due_at = now(), next_sync_at = now() WHERE client_id = 'two'`);
    expect(await trigger('client_id_filter=two')).toMatchObject({
      started: 1,
      clients: [{ client_id: 'two', state: 'started', runs: [{ state: 'started' }] }],
    });
    await hasRun('two', 1);
    const [result] = await commerce.rows(
      `SELECT sync_triggered_by AS by FROM client_api_sync_results WHERE client_id = 'two'`,
    );
    expect(result).toEqual({ by: 'schedule' });
  });

  test('with force starts all, and says which are refused and why', async () => {
    await call('POST /api/clients/one/pause', { reason: 'holidays' });
    expect(await trigger('force_sync=true')).toMatchObject({
      started: 1,
      refused: 1,
      clients: [
        { client_id: 'one', state: 'refused', reason: expect.stringContaining('holidays'), runs: [] },
        { client_id: 'two', state: 'started', reason: null },
      ],
    });
    expect(await trigger('force_sync=true&client_id_filter=one')).toMatchObject({ refused: 1, started: 0 });
    expect(await trigger('force_sync=true&platform_filter=amazon')).toMatchObject({ clients: [] });
    expect(await trigger('force_sync=true&platform_filter=amazon&client_id_filter=two')).toMatchObject({
      refused: 1,
      clients: [{ reason: expect.stringContaining('no connection to amazon') }],
    });
  });

  test('refuses filters that are not valid', async () => {
    for (const query of ['force_sync=maybe', 'platform_filter=etsy', 'client=one']) {
      expect((await call(`POST /api/admin/trigger-api-sync?${query}`)).status, query).toBe(400);
    }
  });
});

// The last one, so that it sees every answer of the tests above.
test('no answer holds a secret', () => {
  expect(answers.length).toBeGreaterThan(20);
  for (const answer of answers) expect(answer).not.toContain(SECRET);
});
