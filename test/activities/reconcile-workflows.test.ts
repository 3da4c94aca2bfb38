import { beforeEach, expect, test } from 'vitest';
import { clientActivities } from '../../activities/clients.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { addClient, addCredential, readClientState, setClientPaused } from '../../src/db/clients.ts';
import { createTestDatabase } from '../support/engines.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { NO_NOTIFICATIONS } from '../support/no-notifications.ts';

/** More than one page of clients. */
const MANY = 501;
const database = await createTestDatabase();
const { db, pool } = database;

let running: Set<string>;
let lists: number;
let started: string[];
let reloaded: string[];
const clients: ActivityDependencies['clients'] = {
  async listRunning() {
    lists += 1;
    return new Set(running);
  },
  start: async (ids) => void started.push(...ids),
  reload: async (ids) => void reloaded.push(...ids),
};
const { reconcileWorkflows } = clientActivities({ database, clients, ...NO_NOTIFICATIONS });
beforeEach(async () => {
  running = new Set();
  lists = 0;
  started = [];
  reloaded = [];
  await pool.query('TRUNCATE commerce.clients CASCADE');
});

/** A client with a connection, as its workflow has seen it. */
async function addSeen(clientId: string): Promise<void> {
  await addClient(db, clientId, clientId);
  const added = {
    clientId,
    platform: 'shopify',
    connectionName: 'main',
    credentials: '{}',
    frequencyHours: 24,
  } as const;
  await addCredential(db, TEST_KEYS, added);
  await readClientState(db, clientId);
}

test('all workflows are listed once, however many clients there are, and only the missing ones are started', async () => {
  await pool.query(
    `INSERT INTO commerce.clients (client_id, name, view_name, applied_at)
     SELECT 'c' || n, 'c', 'v' || n, now() FROM generate_series(1, $1) n`,
    [MANY],
  );
  running = new Set(Array.from({ length: MANY }, (_, index) => `c${index + 1}`));
  running.delete('c7');
  running.delete('c99');
  expect(await reconcileWorkflows()).toEqual({ started: 2, reloaded: 0, ended: 0 });
  expect(lists).toBe(1);
  expect(started.sort()).toEqual(['c7', 'c99']);
  expect(reloaded).toEqual([]);
});

test('only a workflow that has not seen a change of its connections is told to reload', async () => {
  for (const id of ['same', 'changed', 'missing']) await addSeen(id);
  running = new Set(['same', 'changed']);
  await setClientPaused(db, 'changed', 'a break');
  await setClientPaused(db, 'missing', 'a break');
  expect(await reconcileWorkflows()).toEqual({ started: 1, reloaded: 1, ended: 0 });
  expect(reloaded).toEqual(['changed']);
  expect(started).toEqual(['missing']);
});

test('a workflow whose client was removed or purged is told, and ends', async () => {
  for (const id of ['kept', 'removed', 'gone']) await addSeen(id);
  await pool.query(`UPDATE commerce.clients SET active = false WHERE client_id IN ('removed', 'gone')`);
  running = new Set(['kept', 'removed', 'purged']);
  expect(await reconcileWorkflows()).toEqual({ started: 0, reloaded: 0, ended: 2 });
  expect(reloaded.sort()).toEqual(['purged', 'removed']);
});
