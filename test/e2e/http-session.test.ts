import { describe, expect, test } from 'vitest';
import { createLoginCode, openSession } from '../../src/db/sessions.ts';
import { createToken, hashToken, type Role, ROLES, revokeToken } from '../../src/db/tokens.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const FIXED = 'an-admin-token-from-the-environment';
const api = await startHttpHarness({ database, client, config: { DURASYNC_ADMIN_TOKEN: FIXED } });
const ours = { origin: api.url, 'sec-fetch-site': 'same-origin' };

const logIn = (body: object, headers: Record<string, string> = ours) =>
  api.call('POST /api/session', { token: null, body, headers });

/** What a browser sends after a login. Opened beside the API, whose limit on logins is not what is tested with it. */
async function cookieOf(token: string, url = api.url): Promise<string> {
  const { id } = await openSession(database.db, hashToken(token));
  return `durasync_session_${new URL(url).port}=${id}`;
}

const withCookie = (call: string, cookie: string, headers: Record<string, string> = ours) =>
  api.call(call, { token: null, headers: { cookie, ...headers } });

describe('logging in', () => {
  test('with a token sets a cookie that scripts and other sites can not use', async () => {
    const { status, headers, body } = await logIn({ token: api.tokens.operator });
    expect(status).toBe(200);
    expect(body).toMatchObject({ actor: 'token:operator', role: 'operator', mode: 'real' });
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^durasync_session_\d+=[\w-]{43}; /);
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).toContain('Path=/');
    expect(cookie).not.toContain('Secure');
    expect(headers.get('cache-control')).toBe('no-store');
    const { rows } = await database.pool.query('SELECT s::text FROM durasync.sessions s');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(cookie.split(/[=;]/)[1]);
  });

  test('over https the cookie is bound to the host and never travels in the clear', async () => {
    const { headers } = await logIn({ token: api.tokens.viewer }, { ...ours, 'x-forwarded-proto': 'https' });
    expect(headers.get('set-cookie')).toMatch(/^__Host-durasync_session=.*; Secure/);
  });

  test.each([
    [{ token: 'dsk_unknown' }, 401],
    [{ code: 'unknown' }, 401],
    [{}, 400],
    [{ token: '' }, 400],
    [{ token: 'a', code: 'b' }, 400],
  ])('with %j is refused', async (body, expected) => {
    const { status, headers } = await logIn(body, { ...ours, 'x-forwarded-for': JSON.stringify(body) });
    expect(status).toBe(expected);
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('with the code of a login link works once, and is kept as a hash', async () => {
    const code = await createLoginCode(database.db, hashToken(api.tokens.admin));
    const { rows } = await database.pool.query('SELECT c::text FROM durasync.login_codes c');
    expect(JSON.stringify(rows)).not.toContain(code);
    const both = await Promise.all([logIn({ code }), logIn({ code })]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 401]));
    expect(both.find(({ status }) => status === 200)?.body).toMatchObject({ role: 'admin' });
  });

  test('with a code older than ten minutes is refused', async () => {
    const code = await createLoginCode(database.db, hashToken(api.tokens.admin));
    await database.pool.query(
      `UPDATE durasync.login_codes SET expires_at = expires_at - interval '10 minutes'`,
    );
    expect((await logIn({ code })).status).toBe(401);
  });
});

test('an address that tries many tokens has to wait, however it forwards itself', async () => {
  const guessed = await startHttpHarness({ database, client });
  const statuses = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const headers = { 'x-forwarded-for': `10.0.0.${index}` };
      return guessed.call('POST /api/session', { token: null, body: { token: `dsk_${index}` }, headers });
    }),
  );
  expect(statuses.filter(({ status }) => status === 401)).toHaveLength(10);
  const refused = statuses.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('one token that changes much in a short time has to wait, another one not', async () => {
  const busy = await startHttpHarness({ database, client });
  const change = (token: string) => busy.call('POST /api/clients/nothing/sync', { token });
  const answers = await Promise.all(Array.from({ length: 300 }, () => change(busy.tokens.operator)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 429]));
  expect((await change(busy.tokens.admin)).status).toBe(404);
  expect((await busy.call('GET /api/runs')).status).toBe(200);
});

describe('a session', () => {
  test.each(ROLES)('of a token of the role %s may do what the token may', async (role: Role) => {
    const cookie = await cookieOf(api.tokens[role]);
    expect((await withCookie('GET /api/runs', cookie)).status).toBe(200);
    expect((await withCookie('GET /api/session', cookie)).body).toMatchObject({ role });
    const paused = await withCookie('POST /api/schedules/nothing/pause', cookie);
    expect(paused.status).toBe(role === 'viewer' ? 403 : 404);
    const added = await withCookie('DELETE /api/clients/nothing', cookie);
    expect(added.status).toBe(role === 'admin' ? 404 : 403);
  });

  test('ends when it is logged out, and only then', async () => {
    const [first, second] = [await cookieOf(api.tokens.viewer), await cookieOf(api.tokens.viewer)];
    const out = await withCookie('DELETE /api/session', first);
    expect(out.headers.get('set-cookie')).toMatch(/^durasync_session_\d+=; Max-Age=0/);
    expect((await withCookie('GET /api/runs', first)).status).toBe(401);
    expect((await withCookie('GET /api/runs', second)).status).toBe(200);
  });

  test('ends with its token, with a week, and with a day without use', async () => {
    const made = await createToken(database.db, { role: 'viewer', name: 'short' });
    const cookie = await cookieOf(made.token);
    expect((await withCookie('GET /api/runs', cookie)).status).toBe(200);
    await revokeToken(database.db, made.id);
    expect((await withCookie('GET /api/runs', cookie)).status).toBe(401);
    for (const [column, span] of [
      ['expires_at', '7 days'],
      ['last_seen_at', '24 hours'],
    ]) {
      const other = await cookieOf(api.tokens.viewer);
      await database.pool.query(`UPDATE durasync.sessions SET ${column} = ${column} - interval '${span}'`);
      expect((await withCookie('GET /api/runs', other)).status, column).toBe(401);
    }
  });

  test('of the token of the environment ends when that is another one', async () => {
    const cookie = await cookieOf(FIXED);
    expect((await withCookie('GET /api/session', cookie)).body).toMatchObject({ role: 'admin' });
    const changed = await startHttpHarness({
      database,
      client,
      config: { DURASYNC_ADMIN_TOKEN: 'another-token-of-the-environment' },
    });
    const headers = { cookie: await cookieOf(FIXED, changed.url) };
    const { status } = await changed.call('GET /api/session', { token: null, headers });
    expect(status).toBe(401);
  });
});

describe('a page of somewhere else', () => {
  const elsewhere: [string, Record<string, string>][] = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another port of this host', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['an older browser', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['nobody knows where', {}],
  ];

  test.each(elsewhere)('(%s) changes nothing with the cookie', async (_from, headers) => {
    const cookie = await cookieOf(api.tokens.operator);
    for (const call of ['POST /api/syncs/fleet/runs', 'DELETE /api/session']) {
      const { status, body } = await withCookie(call, cookie, headers);
      expect(status).toBe(403);
      expect(body['type']).toBe('urn:durasync:problem:cross-site');
    }
    expect((await withCookie('GET /api/session', cookie)).status).toBe(200);
  });

  test('logs nobody in', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await logIn({ token: api.tokens.operator }, headers)).status).toBe(403);
  });

  test('a program with a token is not concerned', async () => {
    const headers = { origin: 'https://tools.example' };
    const { status } = await api.call('POST /api/schedules/nothing/pause', { headers });
    expect(status).toBe(404);
  });
});
