import { beforeAll, expect, test } from 'vitest';
import { addClient, addCredential } from '../../src/db/clients.ts';
import { many, order } from '../support/amazon-shop.ts';
import { syncNow } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { startFakeAmazon } from '../support/fake-amazon.ts';

/** More pages than the burst of 20 that Amazon allows by default. */
const ORDERS = 2_500;
const PAGES = 25;
const commerce = await startCommerceHarness();
const amazon = await startFakeAmazon({ namedRate: 50 });
beforeAll(() => {
  commerce.env['AMAZON_SPAPI_BASE_URL'] = amazon.settings.spApiBaseUrl;
  commerce.env['AMAZON_LWA_URL'] = amazon.settings.lwaUrl;
});

const connect = async (clientId: string): Promise<string> => {
  const { database, keys } = commerce;
  await addClient(database.db, clientId, clientId);
  const credentials = JSON.stringify(amazon.credentials);
  const added = {
    clientId,
    platform: 'amazon',
    connectionName: 'main',
    credentials,
    frequencyHours: 24,
  } as const;
  return addCredential(database.db, keys, added);
};

/** The attempts of every step of the last run of a connection, as Temporal counted them. */
async function attemptsOf(credentialId: string): Promise<number[]> {
  const [run] = await commerce.rows(
    `SELECT workflow_id, run_id FROM durasync.sync_runs WHERE scope = '${credentialId}' ORDER BY started_at DESC LIMIT 1`,
  );
  const handle = commerce.client.workflow.getHandle(String(run?.['workflow_id']), String(run?.['run_id']));
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? []);
}

test('orders beyond the default burst are read at the rate that Amazon names, in one attempt', async () => {
  const credentialId = await connect('big');
  const recent = { createdTime: new Date().toISOString(), lastUpdatedTime: new Date().toISOString() };
  amazon.data.orders.push(
    ...many(ORDERS, (number) => order(number, { ...recent, buyer: { buyerName: `Buyer ${number}` } })),
  );
  const startedAt = performance.now();
  const { result, run } = await syncNow(commerce, 'big');
  expect(run).toMatchObject({ status: 'completed', total_tables: 3 });
  expect(result).toMatchObject({ success: true, records_stored: ORDERS });
  expect(amazon.callsOf('searchOrders')).toHaveLength(PAGES);
  expect(performance.now() - startedAt).toBeLessThan(40_000);
  expect(new Set(await attemptsOf(credentialId))).toEqual(new Set([1]));
  const [buyers] = await commerce.rows(
    `SELECT count(DISTINCT payload->'buyer'->>'buyerName') AS count FROM client_data WHERE client_id = 'big'`,
  );
  expect(buyers).toEqual({ count: ORDERS });
});

test('more short waits than a step has attempts cost no attempt', async () => {
  const credentialId = await connect('busy');
  amazon.data.orders.splice(0, ORDERS, order(1, { lastUpdatedTime: new Date().toISOString() }));
  const before = amazon.callsOf('searchOrders').length;
  amazon.script(
    'searchOrders',
    ...many(6, () => ({ status: 429, headers: { 'retry-after': '1' }, body: {} })),
  );
  const { result } = await syncNow(commerce, 'busy');
  expect(result).toMatchObject({ success: true, records_stored: 1 });
  expect(amazon.callsOf('searchOrders').length - before).toBe(7);
  expect(new Set(await attemptsOf(credentialId))).toEqual(new Set([1]));
});

test('a refused refresh token costs one question, and shows as revoked', async () => {
  const credentialId = await connect('revoked');
  // A permission of its own, so that no access token of another test is at hand.
  const secrets = JSON.stringify({ ...amazon.credentials, refresh_token: 'Atzr|another' });
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET credentials = '${commerce.keys.seal(secrets, credentialId)}'
     WHERE credential_id = '${credentialId}'`,
  );
  const before = amazon.requests.length;
  const { result } = await syncNow(commerce, 'revoked');
  expect(result).toMatchObject({ success: false, error_message: expect.stringContaining('invalid_grant') });
  expect(amazon.requests.slice(before).map(({ operation }) => operation)).toEqual(['lwa']);
  const [row] = await commerce.rows(
    `SELECT status, refusals FROM commerce.client_api_credentials WHERE credential_id = '${credentialId}'`,
  );
  expect(row).toEqual({ status: 'revoked', refusals: 1 });
});
