import type { Client, WorkflowHandle } from '@temporalio/client';
import { addClient, addCredential, makeDue } from '../../src/db/clients.ts';
import { type ClientStatus, clientWorkflowId } from '../../src/domain/clients.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { startReconcile } from '../../src/temporal/runs.ts';
import { emptyShop } from './fake-shopify.ts';
import { fakeCustomer, fakeInventoryItem, fakeOrder, fakeProduct } from './fake-shopify-records.ts';
import type { Recorded, RecordingParts } from './history-scenarios.ts';
import { TEST_KEYS } from './test-keys.ts';
import { waitUntil } from './wait-until.ts';

/** Opens the shops; must not get into a history. */
export const SHOP_TOKEN = 'shpat_must-not-be-recorded';

/** After so many runs a client continues as new. */
const RUNS_MAX = 24;
const SLOW_MS = 400;

/** Leads the workflows of clients through all that can happen to them. */
export async function* recordClientScenarios(parts: RecordingParts): AsyncGenerator<Recorded> {
  const { client, shopify } = parts;
  const { status, requestSync } = clientWorkflows(client);
  const handleOf = (clientId: string) => client.workflow.getHandle(clientWorkflowId(clientId));
  const reconcile = async (scenario: string): Promise<Recorded> => {
    await startReconcile(client);
    const handle = await pinned(client, 'clients-reconcile');
    await handle.result();
    return { scenario, handle };
  };
  const until = (clientId: string, what: string, wanted: (status: ClientStatus) => boolean) =>
    waitUntil(`${clientId} ${what}`, async () => {
      const found = await status(clientId);
      return found !== null && found.credentials.length > 0 && wanted(found);
    });
  const hasRun = (clientId: string, runs: number) =>
    until(clientId, `has run ${runs} times`, ({ runsSinceStart, credentials }) => {
      return runsSinceStart === runs && credentials.every(({ running }) => running === null);
    });
  const isSlow = <T>(work: () => Promise<T>): Promise<T> => {
    shopify.script.set('every', { delayMs: SLOW_MS });
    return work().finally(() => shopify.script.clear());
  };

  await openShop(parts, 'several-runs', 'main', 'now');
  await openShop(parts, 'several-runs', 'outlet', 'now');
  await openShop(parts, 'messages', 'main', 'later');
  await openShop(parts, 'failing', 'main', 'later');
  await openShop(parts, 'long-lived', 'main', 'later');
  yield await reconcile('reconcileClients.started');

  const runs = await pinned(client, clientWorkflowId('several-runs'));
  await hasRun('several-runs', 2);
  const forced = await isSlow(async () => {
    const answer = await requestSync('several-runs', { requestedBy: 'recorder' });
    await runs.signal('forceSync', { requestedBy: 'recorder' });
    await runs.signal('forceSync');
    await hasRun('several-runs', 6);
    return answer;
  });
  yield { scenario: 'runSync.commerce', handle: client.workflow.getHandle(forced.workflowId) };
  yield await removed('syncClient.several-runs', 'several-runs', runs);

  const messages = await pinned(client, clientWorkflowId('messages'));
  await messages.signal('pause', { reason: 'stocktake' });
  await until('messages', 'is paused', ({ pausedReason }) => pausedReason === 'stocktake');
  await messages.signal('forceSync', null);
  await requestSync('messages', {}).catch(() => undefined);
  await messages.signal('resume');
  await messages.signal('setFrequency', { hours: 0 });
  await messages.signal('setFrequency', { hours: 6, platform: 'shopify' });
  await until('messages', 'has its frequency', ({ credentials }) => credentials[0]?.frequencyHours === 6);
  await messages.signal('forceSync', { platform: 'shopify', requestedBy: 'recorder' });
  await hasRun('messages', 1);
  yield await removed('syncClient.messages', 'messages', messages);

  const failing = await pinned(client, clientWorkflowId('failing'));
  const shop = shopify.shops.get(domainOf('failing'));
  if (!shop) throw new Error('the shop is not there');
  shop.accessToken = 'another';
  const refused = await requestSync('failing', {});
  await hasRun('failing', 1);
  yield { scenario: 'runSync.commerce-refused', handle: client.workflow.getHandle(refused.workflowId) };
  shop.accessToken = SHOP_TOKEN;
  await isSlow(async () => {
    const { workflowId } = await requestSync('failing', {});
    await waitUntil('the run is there', () =>
      client.workflow
        .getHandle(workflowId)
        .describe()
        .then(
          () => true,
          () => false,
        ),
    );
    await client.workflow.getHandle(workflowId).cancel();
    await hasRun('failing', 2);
  });
  await requestSync('failing', {});
  await hasRun('failing', 3);
  yield await removed('syncClient.failing', 'failing', failing);

  const first = await pinned(client, clientWorkflowId('long-lived'));
  for (let run = 1; run < RUNS_MAX; run += 1) {
    await requestSync('long-lived', {});
    await hasRun('long-lived', run);
  }
  await isSlow(async () => {
    await requestSync('long-lived', {});
    await handleOf('long-lived').signal('forceSync', { requestedBy: 'recorder' });
    await waitUntil('it continues as new', async () => {
      const { runId } = await handleOf('long-lived').describe();
      return runId !== first.runId;
    });
  });
  yield { scenario: 'syncClient.continued-as-new', handle: first };
  const second = await pinned(client, clientWorkflowId('long-lived'));
  await hasRun('long-lived', 1);

  const analysis = await client.workflow.start('analyseSkus', {
    taskQueue: 'durasync',
    workflowId: 'recording/analyse-skus',
  });
  await analysis.result();
  yield { scenario: 'analyseSkus.completed', handle: analysis };

  await openShop(parts, 'long-lived', 'outlet', 'later');
  yield await reconcile('reconcileClients.reloaded');
  await until('long-lived', 'has read again', ({ credentials }) => credentials.length === 2);
  await deactivate(parts, 'long-lived');
  yield await reconcile('reconcileClients.ended');
  await second.result();
  yield { scenario: 'syncClient.carried-over', handle: second };

  async function removed(scenario: string, clientId: string, handle: WorkflowHandle): Promise<Recorded> {
    await deactivate(parts, clientId);
    await handle.signal('reload');
    await handle.result();
    return { scenario, handle };
  }
}

type Pinned = WorkflowHandle & { readonly runId: string };

/** The execution that runs now, also when a later one follows. */
async function pinned(client: Client, workflowId: string): Promise<Pinned> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  return Object.assign(client.workflow.getHandle(workflowId, runId, { followRuns: false }), { runId });
}

const domainOf = (clientId: string): string => `${clientId}.myshopify.com`;

/** Adds a connection to a client, and both of its shop. */
async function openShop(
  { database: { db, pool }, shopify }: RecordingParts,
  clientId: string,
  connectionName: string,
  due: 'now' | 'later',
): Promise<void> {
  shopify.shops.set(
    domainOf(clientId),
    emptyShop({
      accessToken: SHOP_TOKEN,
      orders: [fakeOrder(1, 2), fakeOrder(2)],
      products: [fakeProduct(1)],
      customers: [fakeCustomer(1)],
      inventoryItems: [fakeInventoryItem(1)],
      bucket: { maximumAvailable: 20_000, restoreRate: 10_000 },
    }),
  );
  await addClient(db, clientId, clientId);
  const credentials = JSON.stringify({ shop_domain: domainOf(clientId), access_token: SHOP_TOKEN });
  const added = { clientId, platform: 'shopify' as const, connectionName, credentials, frequencyHours: 24 };
  const credentialId = await addCredential(db, TEST_KEYS, added);
  await makeDue(db, credentialId);
  if (due === 'now') return;
  await pool.query(
    `UPDATE commerce.client_api_credentials
     SET due_at = due_at + '1 day', next_sync_at = next_sync_at + '1 day' WHERE credential_id = $1`,
    [credentialId],
  );
}

const deactivate = ({ database }: RecordingParts, clientId: string): Promise<unknown> =>
  database.pool.query('UPDATE commerce.clients SET active = false WHERE client_id = $1', [clientId]);
