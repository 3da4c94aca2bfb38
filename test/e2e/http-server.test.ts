import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, describe, expect, test } from 'vitest';
import { ensureAdminToken, findToken, listTokens, revokeToken } from '../../src/db/tokens.ts';
import { choosePort, PortTakenError } from '../../src/free-port.ts';
import { openHome } from '../../src/home/home.ts';
import type { ApiEnv } from '../../src/http/api.ts';
import { startHttpApi } from '../../src/http/start-http-api.ts';
import { createTestDatabase } from '../support/engines.ts';

const app = new Hono<ApiEnv>().get('/', (c) => c.text('here'));
const HOST = '127.0.0.1';

describe('the server', () => {
  test('listens on a free port, answers there and stops', async () => {
    const api = await startHttpApi({ app, config: { DURASYNC_HOST: HOST, DURASYNC_PORT: undefined } });
    const other = await startHttpApi({ app, config: { DURASYNC_HOST: HOST, DURASYNC_PORT: undefined } });
    expect(other.url).not.toBe(api.url);
    expect(await (await fetch(api.url)).text()).toBe('here');
    await Promise.all([api.close(), other.close()]);
    await api.close();
    await expect(fetch(api.url)).rejects.toThrow('fetch failed');
  });

  test('listens on DURASYNC_PORT, and refuses to start when that is taken', async () => {
    const port = await choosePort({ use: 'a test', preferred: 28_500, fixedBy: null });
    const config = { DURASYNC_HOST: HOST, DURASYNC_PORT: port };
    const api = await startHttpApi({ app, config });
    expect(api.url).toBe(`http://${HOST}:${port}`);
    await expect(startHttpApi({ app, config })).rejects.toThrow(PortTakenError);
    await expect(startHttpApi({ app, config })).rejects.toThrow('DURASYNC_PORT');
    await api.close();
  });

  test('stops also while a client holds a connection', async () => {
    const endless = new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('x')) });
    const slow = new Hono<ApiEnv>().get('/', () => new Response(endless));
    const api = await startHttpApi({ app: slow, config: { DURASYNC_HOST: HOST, DURASYNC_PORT: undefined } });
    const held = await fetch(api.url);
    const started = performance.now();
    await api.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    await expect(held.text()).rejects.toThrow('terminated');
  });
});

describe('the admin token of a home', async () => {
  const database = await createTestDatabase();
  const other = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'durasync-home-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const home = await openHome(folder);
  const kept = async () => (await readFile(home.path('admin-token'), 'utf8')).trim();

  test('is made once, is an admin and is readable by its owner alone', async () => {
    await ensureAdminToken(home, database.db);
    const token = await kept();
    expect((await stat(home.path('admin-token'))).mode & 0o777).toBe(0o600);
    expect(await findToken(database.db, token)).toMatchObject({ role: 'admin' });
    await ensureAdminToken(home, database.db);
    expect(await kept()).toBe(token);
    expect(await listTokens(database.db)).toHaveLength(1);
  });

  test('works in another database of the same home', async () => {
    const token = await kept();
    await ensureAdminToken(home, other.db);
    expect(await kept()).toBe(token);
    expect(await findToken(other.db, token)).toMatchObject({ role: 'admin' });
  });

  test('is replaced when it was revoked, and then never works again', async () => {
    const token = await kept();
    const [row] = await listTokens(database.db);
    expect(await revokeToken(database.db, row?.id ?? '')).toBe(true);
    expect(await revokeToken(database.db, row?.id ?? '')).toBe(true);
    expect(await revokeToken(database.db, 'nothing')).toBe(false);
    await ensureAdminToken(home, database.db);
    expect(await kept()).not.toBe(token);
    expect(await findToken(database.db, token)).toBeUndefined();
    expect(await findToken(database.db, await kept())).toMatchObject({ role: 'admin' });
  });
});
