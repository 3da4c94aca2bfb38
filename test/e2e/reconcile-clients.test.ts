import { randomUUID } from 'node:crypto';
import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import pLimit from 'p-limit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ClientStatus, clientWorkflowId } from '../../src/domain/clients.ts';
import { syncs } from '../../src/syncs/index.ts';
import { applySchedules } from '../../src/temporal/apply-schedules.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { many } from '../support/amazon-shop.ts';
import { commerceProcesses } from '../support/commerce-processes.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { emptyShop, startFakeShopify } from '../support/fake-shopify.ts';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { waitUntil } from '../support/wait-until.ts';

const WAIT_MS = 120_000;
const HOUR_MS = 3_600_000;
/** With the one that is due, more than a page of 500. */
const WAITING_CLIENTS = 600;
const DOMAIN = 'overdue.myshopify.com';
const TOKEN = 'shpat_overdue';

const database = await createTestDatabase();
const lost = await createTestNamespace();
const empty = await createTestNamespace();
const shop = emptyShop({ accessToken: TOKEN, customers: [fakeCustomer(1)] });
const shopify = await startFakeShopify({ [DOMAIN]: shop });
const { address, namespace } = lost;
const processes = await commerceProcesses({
  database,
  address,
  namespace,
  env: { SHOPIFY_BASE_URL: shopify.url, COMMERCE_LOOKBACK_DAYS: '3650' },
});
const limit = pLimit(20);

const rows = async (query: string): Promise<Record<string, unknown>[]> =>
  (await database.pool.query(query)).rows;

const idOf = (n: number): string => `waiting-${String(n).padStart(4, '0')}`;
const waitingIds = many(WAITING_CLIENTS, idOf);

/** What reconciling did, when nobody else reconciles. */
async function reconcile(client: Client): Promise<unknown> {
  return client.workflow.execute('reconcileClients', {
    taskQueue: 'durasync',
    workflowId: `reconcile/${randomUUID()}`,
  });
}

const isRunning = `WorkflowType = 'syncClient' AND ExecutionStatus = 'Running'`;

async function runIds(client: Client): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { workflowId, runId } of client.workflow.list({ query: isRunning })) {
    if (found.has(workflowId)) throw new Error(`${workflowId} runs twice`);
    found.set(workflowId, runId);
  }
  return found;
}

const untilRunning = (client: Client, count: number): Promise<void> =>
  waitUntil(
    `${count} clients run`,
    async () => (await client.workflow.count(isRunning)).count === count,
    WAIT_MS,
  );

/** When each client says that it is due next. */
async function dueTimes(client: Client, ids: readonly string[]): Promise<Map<string, string | undefined>> {
  const statusOf = async (id: string): Promise<ClientStatus> => {
    const { status } = clientWorkflows(client);
    let found = await status(id);
    await waitUntil(`${id} knows its connections`, async () => {
      found = await status(id);
      return found?.credentials.length === 1;
    });
    return found as ClientStatus;
  };
  const statuses = await Promise.all(ids.map((id) => limit(() => statusOf(id))));
  return new Map(statuses.map(({ clientId, credentials }) => [clientId, credentials[0]?.nextSyncAt]));
}

async function dueTimesInPostgres(): Promise<Map<string, string | undefined>> {
  const found = await rows(`SELECT client_id, next_sync_at FROM commerce.client_api_credentials
                            WHERE client_id LIKE 'waiting-%' ORDER BY 1`);
  return new Map(found.map((row) => [String(row['client_id']), (row['next_sync_at'] as Date).toISOString()]));
}

const terminate = (client: Client, ids: readonly string[]): Promise<unknown> =>
  Promise.all(ids.map((id) => client.workflow.getHandle(clientWorkflowId(id)).terminate()));

async function eventsOf(client: Client, ids: readonly string[]): Promise<number[]> {
  const described = ids.map((id) => client.workflow.getHandle(clientWorkflowId(id)).describe());
  return (await Promise.all(described)).map(({ historyLength }) => historyLength);
}

/** Everything that was started at first is lost with its server; a worker then meets an empty one. */
beforeAll(async () => {
  await rows(`
    INSERT INTO commerce.clients (client_id, name, view_name)
    SELECT 'waiting-' || to_char(n, 'FM0000'), n, 'view_' || n FROM generate_series(1, ${WAITING_CLIENTS}) n;
    INSERT INTO commerce.client_api_credentials
      (client_id, platform_type, connection_name, credentials, sync_frequency_hours, next_sync_at, due_at)
    SELECT 'waiting-' || to_char(n, 'FM0000'), 'shopify', 'main', '', 1 + n % 48, at, at
    FROM generate_series(1, ${WAITING_CLIENTS}) n, LATERAL (SELECT now() + n * interval '7 minutes 1.234 s' + '2 h') t(at)`);
  const worker = await processes.startWorker();
  await untilRunning(lost.client, WAITING_CLIENTS);
  worker.child.kill('SIGKILL');
  await worker.exited;
}, WAIT_MS);

describe('a worker that meets an empty Temporal server', () => {
  const overdueMs = 3.5 * HOUR_MS;
  let dueAtMs = 0;

  beforeAll(async () => {
    const secrets = { shop_domain: DOMAIN, access_token: TOKEN };
    const credentialId = await processes.connect('overdue', 'shopify', secrets, 'now');
    dueAtMs = Date.now() - overdueMs;
    const dueAt = new Date(dueAtMs).toISOString();
    await rows(`UPDATE commerce.client_api_credentials
                SET sync_frequency_hours = 2, due_at = '${dueAt}', next_sync_at = '${dueAt}'
                WHERE credential_id = '${credentialId}'`);
    await processes.startWorker({ TEMPORAL_NAMESPACE: empty.namespace });
    await untilRunning(empty.client, WAITING_CLIENTS + 1);
  }, WAIT_MS);

  test('starts every client again, each due when PostgreSQL says', async () => {
    const result = await empty.client.workflow.getHandle('clients-reconcile').result();
    expect(result).toEqual({ started: WAITING_CLIENTS + 1, reloaded: 0, ended: 0 });
    const expected = await dueTimesInPostgres();
    expect(new Set(expected.values()).size).toBe(WAITING_CLIENTS);
    expect(await dueTimes(empty.client, waitingIds)).toEqual(expected);
  });

  test('runs what was missed once, and goes on with the grid it had', async () => {
    const results = () =>
      rows(`SELECT success, records_stored, sync_triggered_by AS by FROM commerce.client_api_sync_results`);
    await waitUntil('it has run', async () => (await results()).length > 0);
    expect(await results()).toEqual([{ success: true, records_stored: 1, by: 'schedule' }]);
    const onGridMs = dueAtMs + 2 * 2 * HOUR_MS;
    await waitUntil('it waits for its next turn', async () => {
      const status = await clientWorkflows(empty.client).status('overdue');
      return status?.credentials[0]?.nextSyncAt === new Date(onGridMs).toISOString();
    });
  });
});

describe('reconciling', () => {
  const { client } = empty;

  test(
    'starts only what is missing, reloads only what changed and ends only what was removed',
    async () => {
      const [missing, changed, removed] = [
        [idOf(1), idOf(300), idOf(600)],
        [idOf(2), idOf(250), idOf(499), idOf(599)],
        [idOf(3), idOf(598)],
      ];
      const others = waitingIds.filter((id) => ![...missing, ...changed, ...removed].includes(id));
      await waitUntil('nothing is left to do', async () => {
        const result = await reconcile(client);
        return JSON.stringify(result) === JSON.stringify({ started: 0, reloaded: 0, ended: 0 });
      });
      const [before, eventsBefore] = [await runIds(client), await eventsOf(client, others)];
      await terminate(client, missing);
      const listed = (ids: readonly string[]): string => ids.map((id) => `'${id}'`).join();
      await rows(`
      UPDATE commerce.client_api_credentials SET sync_frequency_hours = 77, updated_at = clock_timestamp()
      WHERE client_id IN (${listed(changed)});
      UPDATE commerce.clients SET active = false WHERE client_id IN (${listed(removed)})`);
      expect(await reconcile(client)).toEqual({
        started: missing.length,
        reloaded: changed.length,
        ended: removed.length,
      });
      await untilRunning(client, WAITING_CLIENTS + 1 - removed.length);
      const after = await runIds(client);
      for (const id of missing)
        expect(after.get(clientWorkflowId(id))).not.toBe(before.get(clientWorkflowId(id)));
      for (const id of removed) {
        const { status } = await client.workflow.getHandle(clientWorkflowId(id)).describe();
        expect(status.name).toBe('COMPLETED');
      }
      for (const id of changed) {
        expect(after.get(clientWorkflowId(id))).toBe(before.get(clientWorkflowId(id)));
        await waitUntil(`${id} has its new frequency`, async () => {
          const status = await clientWorkflows(client).status(id);
          return status?.credentials[0]?.frequencyHours === 77;
        });
      }
      const pick = (all: ReadonlyMap<string, string>) => others.map((id) => all.get(clientWorkflowId(id)));
      expect(pick(after)).toEqual(pick(before));
      expect(await eventsOf(client, others)).toEqual(eventsBefore);
      expect(await reconcile(client)).toEqual({ started: 0, reloaded: 0, ended: 0 });
    },
    WAIT_MS,
  );

  test(
    'twice at once doubles no client',
    async () => {
      const gone = waitingIds.slice(100, 200);
      const before = await runIds(client);
      await terminate(client, gone);
      await Promise.all([reconcile(client), reconcile(client), reconcile(client)]);
      await untilRunning(client, before.size);
      const after = await runIds(client);
      expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
      for (const id of gone) {
        const query = `WorkflowType = 'syncClient' AND WorkflowId = '${clientWorkflowId(id)}'`;
        // One that was terminated and one that runs.
        expect((await client.workflow.count(query)).count).toBe(2);
      }
    },
    WAIT_MS,
  );

  test('is what the schedule clients-reconcile does, every hour', async () => {
    await applySchedules({ client, syncs, env: {} });
    const schedule = client.schedule.getHandle('clients-reconcile');
    const { state, info } = await schedule.describe();
    expect(state.paused).toBe(false);
    const [first, second] = info.nextActionTimes;
    expect((second?.getTime() ?? 0) - (first?.getTime() ?? 0)).toBe(HOUR_MS);
    const id = idOf(10);
    const { runId } = await client.workflow.getHandle(clientWorkflowId(id)).describe();
    await terminate(client, [id]);
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    await waitUntil('it runs again', async () => {
      const found = await client.workflow.getHandle(clientWorkflowId(id)).describe();
      return found.status.name === 'RUNNING' && found.runId !== runId;
    });
    await schedule.delete();
  });
});
