import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { type ShopGate, startShopGate } from '../support/shop-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

const commerce = await startCommerceHarness({ COMMERCE_CONCURRENCY: '1' });
const STEP_MS = 250;
let gate: ShopGate;
beforeAll(async () => {
  gate = await startShopGate(commerce.shopify.url);
  commerce.env['SHOPIFY_BASE_URL'] = gate.url;
});

const endedClients = async (): Promise<unknown[]> =>
  (
    await commerce.rows(
      `SELECT client_id FROM durasync.sync_runs r JOIN commerce.client_api_credentials ON credential_id::text = scope
       WHERE r.status = 'completed' ORDER BY completed_at`,
    )
  ).map(({ client_id }) => client_id);

/** How many runs wait for a place to test their connection. */
async function waiting(): Promise<number> {
  const runs = await commerce.rows(`SELECT workflow_id FROM durasync.sync_runs WHERE status = 'running'`);
  const pending = await Promise.all(
    runs.map(async ({ workflow_id: id }) => {
      const { raw } = await commerce.client.workflow.getHandle(String(id)).describe();
      return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'testConnection');
    }),
  );
  return pending.filter(Boolean).length;
}

test('of many that wait for a place, who was forced comes first, and who has begun ends before others begin', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
  gate.rules.set('first.myshopify.com', ({ operation }) => (operation === 'Orders' ? released : undefined));
  await commerce.addShop('first');
  await commerce.clients.start(['first']);
  await waitUntil('it has the only place', () => gate.openRequestsTo('first.myshopify.com') > 0);
  const due = ['a', 'b', 'c', 'd', 'e', 'f'];
  // Long enough for a run's next step to be there when the place is free again.
  for (const clientId of [...due, 'forced']) {
    gate.rules.set(`${clientId}.myshopify.com`, () => sleep(STEP_MS, undefined));
  }
  for (const clientId of due) await commerce.addShop(clientId);
  await commerce.clients.start(due);
  await waitUntil('all wait', async () => (await waiting()) === due.length);
  await commerce.addShop('forced');
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET next_sync_at = now() + '1 day' WHERE client_id = 'forced'`,
  );
  await commerce.clients.start(['forced']);
  await commerce.clients.requestSync('forced', { requestedBy: 'ann' });
  await waitUntil('it waits too', async () => (await waiting()) === due.length + 1);
  release();
  await waitUntil('all have ended', async () => (await endedClients()).length === due.length + 2);
  // Another may have begun, and then ends, while neither of them had a step that was ready.
  expect((await endedClients()).slice(0, 3)).toEqual(expect.arrayContaining(['first', 'forced']));
  const [counted] = await commerce.rows(
    `SELECT count(*) AS before FROM durasync.sync_runs WHERE completed_at <
       (SELECT max(began) FROM (SELECT min(started_at) AS began FROM durasync.sync_run_tables GROUP BY run_id) b)`,
  );
  expect(counted?.['before']).toBeGreaterThanOrEqual(4);
});
