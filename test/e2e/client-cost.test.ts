import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import { TASK_QUEUE } from '../../src/domain/ids.ts';
import { connectionOf, syncNow } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { type GateRule, type ShopGate, startShopGate } from '../support/shop-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

const DATA_TYPES = 4;
const commerce = await startCommerceHarness();
let gate: ShopGate;
beforeAll(async () => {
  gate = await startShopGate(commerce.shopify.url);
  commerce.env['SHOPIFY_BASE_URL'] = gate.url;
});

/** A client that is not due by itself, and its shop. */
async function open(clientId: string, rule?: GateRule) {
  const credentialId = await commerce.addShop(clientId, { accessToken: `shpat_${clientId}` });
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET due_at = now() + '1 day', next_sync_at = now() + '1 day'
     WHERE credential_id = '${credentialId}'`,
  );
  const domain = `${clientId}.myshopify.com`;
  if (rule) gate.rules.set(domain, rule);
  return { clientId, credentialId, domain };
}

const eventsOf = async (workflowId: string, runId: string): Promise<string[]> => {
  const { events } = await commerce.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return (events ?? []).map(({ eventType }) => String(eventType));
};
/** EVENT_TYPE_ACTIVITY_TASK_SCHEDULED of Temporal's API. */
const ACTIVITY_SCHEDULED = '10';

test('a run that finds nothing new costs at most three activities more than it has kinds of records', async () => {
  await open('idle');
  await syncNow(commerce, 'idle');
  const { runs } = await commerce.clients.requestSync('idle', {});
  const workflowId = runs[0]?.workflowId ?? '';
  await waitUntil('it has begun', async () =>
    commerce.client.workflow
      .getHandle(workflowId)
      .describe()
      .then(() => true)
      .catch(() => false),
  );
  const { runId } = await commerce.client.workflow.getHandle(workflowId).describe();
  expect(await commerce.client.workflow.getHandle(workflowId).result()).toMatchObject({
    status: 'completed',
  });
  const events = await eventsOf(workflowId, runId);
  const activities = events.filter((type) => type === ACTIVITY_SCHEDULED);
  expect(activities.length).toBeLessThanOrEqual(DATA_TYPES + 3);
  expect(activities.length).toBeGreaterThan(DATA_TYPES);
  expect(events.length).toBeLessThanOrEqual(8 * (DATA_TYPES + 3));
});

describe('a shop that hangs', () => {
  /** How many requests the shop leaves without an answer at the same time. */
  async function atOnce(domain: string, forMs: number): Promise<number> {
    let most = 0;
    for (const endsAt = Date.now() + forMs; Date.now() < endsAt; await sleep(50)) {
      most = Math.max(most, gate.openRequestsTo(domain));
    }
    return most;
  }

  test('after it has let us in is asked one question at a time', async () => {
    const { domain } = await open('hanging', ({ operation }) => (operation === 'Shop' ? undefined : 'hang'));
    await commerce.clients.requestSync('hanging', {});
    await waitUntil('it is asked for records', () => gate.openRequestsTo(domain) > 0);
    expect(await atOnce(domain, 3_000)).toBe(1);
  });

  test('from the start is asked four times, five seconds each, and its connection shows why', async () => {
    const { credentialId, domain } = await open('silent', () => 'hang');
    const { result, run } = await syncNow(commerce, 'silent');
    expect(run).toMatchObject({ status: 'failed', failure_count: DATA_TYPES });
    expect(result['error_message']).toMatch(/no answer within 5 s/);
    expect(gate.requestsTo(domain).map(({ operation }) => operation)).toEqual(Array(4).fill('Shop'));
    const { status, refusals, next_sync_at: next } = await connectionOf(commerce, credentialId);
    expect({ status, refusals }).toEqual({ status: 'error', refusals: 0 });
    expect((next as Date).getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
  });
});

test('a connection whose token is refused backs off, and new credentials are tried at once', async () => {
  const { clientId, credentialId } = await open('refused', () => ({ status: 401, body: { errors: 'no' } }));
  await syncNow(commerce, clientId);
  expect(await connectionOf(commerce, credentialId)).toMatchObject({ status: 'error', refusals: 1 });
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET refused_since = now() - interval '8 days' WHERE credential_id = '${credentialId}'`,
  );
  await syncNow(commerce, clientId);
  await expect(commerce.clients.requestSync(clientId, {})).rejects.toMatchObject({
    cause: { message: expect.stringContaining('paused: not let in for 7 days') },
  });
  const [last] = await commerce.rows(
    `SELECT metadata->'notices' AS notices FROM durasync.sync_runs WHERE scope = '${credentialId}'
     ORDER BY started_at DESC LIMIT 1`,
  );
  expect(last?.['notices']).toHaveLength(1);
  gate.rules.clear();
  await commerce.client.workflow.getHandle(`client/${clientId}`).signal('resume');
  await commerce.until(clientId, ({ runsSinceStart }) => runsSinceStart === 3);
  await waitUntil(
    'it is let in',
    async () => (await connectionOf(commerce, credentialId))['status'] === 'connected',
  );
});

describe('a preview', () => {
  const run = async (scope: string, kind: RunSyncInput['kind']): Promise<RunResult> =>
    (await commerce.client.workflow.execute('runSync', {
      taskQueue: TASK_QUEUE,
      workflowId: `test/${kind}/${scope}`,
      args: [{ sync: 'commerce', scope, kind }],
    })) as RunResult;
  const watermarks = (scope: string) =>
    commerce.rows(`SELECT name, value FROM durasync.watermarks WHERE scope = '${scope}' ORDER BY name`);

  test('that finds nothing new leaves the place up to which the shop was read', async () => {
    const { credentialId } = await open('preview');
    expect((await run(credentialId, 'plan')).status).toBe('planned');
    expect(await watermarks(credentialId)).toEqual([]);
    await syncNow(commerce, 'preview');
    const before = await watermarks(credentialId);
    expect(before).toHaveLength(DATA_TYPES);
    await run(credentialId, 'plan');
    expect(await watermarks(credentialId)).toEqual(before);
  });
});

describe('a force of a client whose workflow does not run', () => {
  test('starts the workflow and the run', async () => {
    const { credentialId } = await open('asleep');
    commerce.shopify.shops.get('asleep.myshopify.com')?.customers.push(fakeCustomer(1));
    const answer = await commerce.clients.requestSync('asleep', { requestedBy: 'ann' });
    expect(answer).toMatchObject({ state: 'started', runs: [{ credentialId }] });
    await waitUntil(
      'it has synced',
      async () =>
        (await commerce.rows(`SELECT 1 FROM client_api_sync_results WHERE client_id = 'asleep' AND success`))
          .length === 1,
    );
  });

  test('that was terminated starts it again', async () => {
    await commerce.client.workflow.getHandle('client/asleep').terminate();
    expect(await commerce.clients.requestSync('asleep', {})).toMatchObject({ state: 'started' });
  });

  test.each([
    ['that does not exist', 'nobody'],
    ['that was removed', 'removed'],
  ])('%s says so, and leaves no workflow behind', async (_which, clientId) => {
    if (clientId === 'removed') {
      await open(clientId);
      await commerce.rows(`UPDATE commerce.clients SET active = false WHERE client_id = '${clientId}'`);
    }
    await expect(commerce.clients.requestSync(clientId, {})).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`Client ${clientId} does not exist, or was removed.`) },
    });
    await waitUntil('it has ended', async () => (await commerce.clients.running([clientId])).size === 0);
  });
});
