import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addClient, addCredential } from '../../src/db/clients.ts';
import { startAmazonModelMock } from '../support/amazon-model-mock.ts';
import { AMAZON_CONTRACTS, AMAZON_OPERATIONS } from '../support/amazon-models.ts';
import { US } from '../support/amazon-shop.ts';
import { syncNow } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';

const present = existsSync(AMAZON_CONTRACTS);

test('the models are there where every check has to run', () => {
  expect(present || process.env['CI'] !== 'true', `not found: ${AMAZON_CONTRACTS.pathname}`).toBe(true);
});

describe.runIf(present)("a seller on an API made of Amazon's own models", async () => {
  const [commerce, mock] = present ? [await startCommerceHarness(), await startAmazonModelMock()] : [];

  test('is synced whole, asked nothing that a model does not know, and again without a change', async () => {
    if (!commerce || !mock) throw new Error('the models are missing');
    commerce.env['AMAZON_SPAPI_BASE_URL'] = mock.url;
    commerce.env['AMAZON_LWA_URL'] = `${mock.url}/auth/o2/token`;
    const { database, keys } = commerce;
    await addClient(database.db, 'modelled', 'modelled');
    await addCredential(database.db, keys, {
      clientId: 'modelled',
      platform: 'amazon',
      connectionName: 'main',
      credentials: JSON.stringify({
        seller_id: 'A1SELLER',
        marketplace_ids: [US],
        client_id: 'amzn1.application-oa2-client.mock',
        client_secret: 'amzn1.oa2-cs.v1.mock',
        refresh_token: 'Atzr|mock',
        region: 'na',
      }),
      frequencyHours: 24,
    });

    const first = await syncNow(commerce, 'modelled');
    expect(mock.refused).toEqual([]);
    expect(first.run).toMatchObject({ status: 'completed', success_count: 3, failure_count: 0 });
    expect([...mock.calls.keys()].toSorted()).toEqual(AMAZON_OPERATIONS.toSorted());
    const stored = () =>
      commerce.rows(
        `SELECT data_type, external_id FROM client_data WHERE client_id = 'modelled' ORDER BY 1, 2`,
      );
    expect(await stored()).toEqual(
      expect.arrayContaining([
        { data_type: 'orders', external_id: '171-2345678-9012345' },
        { data_type: 'orders', external_id: '202-7654321-1098765' },
        { data_type: 'orders', external_id: '250-1234567-8901234' },
        { data_type: 'products', external_id: 'GM-ZDPI-9B4E' },
      ]),
    );
    const kept = await stored();

    const second = await syncNow(commerce, 'modelled');
    expect(second.result).toMatchObject({ success: true, records_stored: 0 });
    expect(await stored()).toEqual(kept);
  });
});
