import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Activity } from '../../src/db/activity.ts';
import { createToken, revokeToken } from '../../src/db/tokens.ts';
import { createEventHub, type LiveEvent } from '../../src/http/event-hub.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const api = await startHttpHarness({ database, client });

/** Reads a stream of events until it is left. */
async function listen(token: string) {
  const leaving = new AbortController();
  const response = await fetch(`${api.url}/api/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: leaving.signal,
  });
  let text = '';
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    leave: () => leaving.abort(),
  };
}

const insertRun = (id: string, status: string) =>
  database.pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status)
     VALUES ($1, 'sync', 'fleet', 'sync/fleet', 'manual', now(), $2)`,
    [id, status],
  );

test('a browser is told what is under way, how far it is, and what has changed', async () => {
  await insertRun('run-1', 'running');
  await database.pool.query(
    `INSERT INTO durasync.sync_run_tables (run_id, table_name, status, stage, fetched)
     VALUES ('run-1', 'vehicles', 'running', 'stage', 5)`,
  );
  const stream = await listen(api.tokens.viewer);
  expect(stream.headers.get('content-type')).toBe('text/event-stream');
  await waitUntil('it tells of the run', () => stream.text().includes('"fetched":5'));
  await database.pool.query(`UPDATE durasync.sync_run_tables SET fetched = 10`);
  await waitUntil('it tells of the progress', () => stream.text().includes('"fetched":10'));
  await database.pool.query(`UPDATE durasync.sync_runs SET status = 'completed'`);
  await waitUntil('it tells of the end', () => /event: changed\ndata: \["runs"\]/.test(stream.text()));
  expect(stream.text()).toContain('event: progress\ndata: []');
  stream.leave();
});

test('the API stops at once although pages are open', async () => {
  const other = await startHttpHarness({ database, client });
  const response = await fetch(`${other.url}/api/events`, {
    headers: { authorization: `Bearer ${other.tokens.viewer}`, accept: 'text/event-stream' },
  });
  expect(response.status).toBe(200);
  const started = performance.now();
  await other.close();
  expect(performance.now() - started).toBeLessThan(1_500);
  await expect(response.text()).rejects.toThrow('terminated');
});

test('a token that is revoked opens no stream', async () => {
  const made = await createToken(database.db, { role: 'viewer', name: 'gone' });
  await revokeToken(database.db, made.id);
  expect((await listen(made.token)).status).toBe(401);
});

test('all browsers of a process share one look at the database, and nobody looks while there is none', async () => {
  let looks = 0;
  let open: Activity['open'] = [];
  const hub = createEventHub(async () => {
    looks += 1;
    return { open, versions: { runs: String(looks), clients: '', quarantine: '', audit: '' } };
  }, 10);
  await sleep(50);
  expect(looks).toBe(0);
  const told: LiveEvent[][] = [[], [], []];
  const leaves = told.map((own) => hub.subscribe((event) => own.push(event)));
  await waitUntil('everybody was told', () => told.every((own) => own.length > 4));
  expect(looks).toBeLessThan(told.flat().length);
  open = [{ run_id: 'r' as never, sync: 's', scope: null, kind: 'sync', started_at: '', tables: [] }];
  await waitUntil('everybody knows the run', () =>
    told.every((own) => own.some(({ event, data }) => event === 'progress' && data.length === 1)),
  );
  for (const leave of leaves) leave();
  await sleep(50);
  const after = looks;
  await sleep(100);
  expect(looks).toBe(after);
});
