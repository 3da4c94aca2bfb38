import { expect, test } from 'vitest';
import { createToken, findToken, revokeToken } from '../../src/db/tokens.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const ADMIN_TOKEN = 'an-admin-token-from-the-environment';
const api = await startHttpHarness({ database, client, config: { DURASYNC_ADMIN_TOKEN: ADMIN_TOKEN } });
const revoked = await createToken(database.db, { role: 'admin', name: 'revoked' });
await revokeToken(database.db, revoked.id);

/** A stream that does not end by itself; test/e2e/http-events.test.ts reads it. */
const EVENTS = 'GET /api/events';
/** Successful answers in another form than JSON. */
const FORMS: Readonly<Record<string, string>> = {
  [EVENTS]: 'text/event-stream',
  'GET /metrics': 'text/plain',
};

interface Operation {
  readonly call: string;
  readonly role: string | undefined;
  readonly secured: boolean;
  readonly responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

const document = (await api.call('GET /openapi.json', { token: null })).body;
const paths = document['paths'] as Record<
  string,
  Record<
    string,
    { security: unknown[]; 'x-required-role'?: string; responses: Operation['responses'] } | undefined
  >
>;
const operations: Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    operation
      ? [
          {
            call: `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'anything')}`,
            role: operation['x-required-role'],
            secured: operation.security.length > 0,
            responses: operation.responses,
          },
        ]
      : [],
  ),
);
const closed = operations.filter(({ secured }) => secured);

test('the document is OpenAPI 3.1 and names every route, its answers and its errors', () => {
  expect(document['openapi']).toBe('3.1.0');
  expect(operations.map(({ call }) => call).sort()).toEqual([
    'DELETE /api/clients/anything',
    'DELETE /api/session',
    'GET /api/admin/sync-config',
    'GET /api/admin/sync-status',
    'GET /api/audit',
    'GET /api/backups',
    'GET /api/clients',
    'GET /api/clients/anything',
    'GET /api/events',
    'GET /api/health',
    'GET /api/quarantine',
    'GET /api/quarantine/anything',
    'GET /api/runs',
    'GET /api/runs/anything',
    'GET /api/runs/anything/undo',
    'GET /api/schedules',
    'GET /api/session',
    'GET /api/syncs',
    'GET /api/syncs/anything',
    'GET /api/uploads',
    'GET /healthz',
    'GET /metrics',
    'GET /openapi.json',
    'GET /readyz',
    'POST /api/admin/cars-sync',
    'POST /api/admin/trigger-api-sync',
    'POST /api/admin/trigger-sync',
    'POST /api/backups',
    'POST /api/clients',
    'POST /api/clients/anything/credentials',
    'POST /api/clients/anything/pause',
    'POST /api/clients/anything/resume',
    'POST /api/clients/anything/sync',
    'POST /api/leads/anything/close',
    'POST /api/runs/anything/approve',
    'POST /api/runs/anything/cancel',
    'POST /api/runs/anything/reject',
    'POST /api/runs/anything/undo',
    'POST /api/schedules/anything/pause',
    'POST /api/schedules/anything/resume',
    'POST /api/schedules/anything/trigger',
    'POST /api/session',
    'POST /api/syncs/anything/runs',
    'POST /api/uploads/anything',
    'POST /api/uploads/anything/preview',
    'PUT /api/clients/anything/frequency',
  ]);
  for (const { call, responses } of operations) {
    expect(Object.keys(responses), call).toEqual(expect.arrayContaining([expect.stringMatching(/^2/)]));
    for (const [status, { content = {} }] of Object.entries(responses)) {
      const good = FORMS[call] ?? 'application/json';
      const type = Number(status) < 400 ? good : 'application/problem+json';
      expect(content[type]?.schema, `${call} ${status}`).toBeDefined();
    }
  }
});

test('every reference in the document leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, to]) => to ?? '',
  );
  expect(references.length).toBeGreaterThan(20);
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
    expect(target, reference).toBeDefined();
  }
});

test('only health, the document and the login are open to everybody', async () => {
  const open = operations.filter(({ secured }) => !secured).map(({ call }) => call);
  const reading = ['GET /healthz', 'GET /openapi.json', 'GET /readyz'];
  expect(open.sort()).toEqual([...reading, 'POST /api/session']);
  for (const call of reading) expect((await api.call(call, { token: null })).status, call).toBe(200);
});

test.each(closed)('$call refuses a missing, unknown or revoked token', async ({ call, responses }) => {
  for (const token of [null, 'dsk_unknown', revoked.token]) {
    const { status, headers, body } = await api.call(call, { token });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'urn:durasync:problem:unauthorized', status: 401 });
  }
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403']));
});

test.each(closed.filter(({ role }) => role !== 'viewer'))(
  '$call refuses every lower role than $role and names the one it needs',
  async ({ call, role }) => {
    for (const lower of role === 'admin' ? (['viewer', 'operator'] as const) : (['viewer'] as const)) {
      const { status, body } = await api.call(call, { token: api.tokens[lower] });
      expect(status).toBe(403);
      expect(body).toMatchObject({ type: 'urn:durasync:problem:forbidden', required_role: role });
      expect(body['detail']).toContain(role);
    }
  },
);

/** They add or remove clients and their secrets, or load every shop at once. */
const FOR_ADMINS = [
  'DELETE /api/clients/anything',
  'POST /api/admin/trigger-api-sync',
  'POST /api/clients',
  'POST /api/clients/anything/credentials',
];

/** Logging out: everybody ends their own login. */
const FOR_EVERYBODY = ['DELETE /api/session'];

test('whatever changes something needs an operator or an admin, whatever only reads a viewer', () => {
  expect(closed.length).toBeGreaterThan(10);
  for (const { call, role } of closed) {
    const changes = FOR_ADMINS.includes(call) ? 'admin' : 'operator';
    const everybody = call.startsWith('GET') || FOR_EVERYBODY.includes(call);
    expect(role, call).toBe(everybody ? 'viewer' : changes);
  }
});

test.each(closed.filter(({ role, call }) => role === 'viewer' && call !== EVENTS))(
  '$call lets a viewer in',
  async ({ call }) => {
    expect([200, 404]).toContain((await api.call(call, { token: api.tokens.viewer })).status);
  },
);

test('a token in another form than Bearer is refused', async () => {
  const { status } = await api.call('GET /api/runs', {
    token: null,
    headers: { authorization: `Basic ${api.tokens.admin}` },
  });
  expect(status).toBe(401);
});

test('unknown addresses below /api need a token too', async () => {
  expect((await api.call('GET /api/nothing', { token: null })).status).toBe(401);
  expect((await api.call('GET /api/nothing')).status).toBe(404);
});

test('the token of the environment is let in, one that only begins like it is not', async () => {
  const { status } = await api.call('POST /api/schedules/nothing/pause', { token: ADMIN_TOKEN });
  expect(status).toBe(404);
  expect((await api.call('GET /api/runs', { token: `${ADMIN_TOKEN}x` })).status).toBe(401);
});

test('the use of a token is noted, at most once a minute', async () => {
  const { token, id } = await createToken(database.db, { role: 'viewer', name: 'often used' });
  const usedAt = async () => {
    const query = 'SELECT last_used_at FROM durasync.api_tokens WHERE id = $1';
    return (await database.pool.query(query, [id])).rows[0].last_used_at as Date | null;
  };
  expect(await usedAt()).toBeNull();
  await findToken(database.db, token);
  const first = await usedAt();
  expect(first).not.toBeNull();
  await findToken(database.db, token);
  expect(await usedAt()).toEqual(first);
  await database.pool.query(
    `UPDATE durasync.api_tokens SET last_used_at = now() - interval '2 minutes' WHERE id = $1`,
    [id],
  );
  await findToken(database.db, token);
  expect(Number(await usedAt())).toBeGreaterThanOrEqual(Number(first));
});

test('only the hash of a token is kept', async () => {
  const { token } = await createToken(database.db, { role: 'viewer', name: 'secret' });
  expect(token).toMatch(/^dsk_[\w-]{43}$/);
  const { rows } = await database.pool.query('SELECT t::text FROM durasync.api_tokens t');
  expect(JSON.stringify(rows)).not.toContain(token.slice(4));
});
