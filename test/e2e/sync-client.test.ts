import type { ClientStatus } from '../../src/domain/clients.ts';
import { describe, expect, test } from 'vitest';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';

const commerce = await startCommerceHarness();

/** So many runs have been started, and the last one is recorded. */
const hasRun = ({ runsSinceStart, credentials }: ClientStatus, runs: number): boolean =>
  runsSinceStart === runs &&
  credentials.every(({ running, nextSyncAt }) => running === null && Date.parse(nextSyncAt) > Date.now());

describe('a client', () => {
  test('syncs when its connection is due, and waits for the next time of its grid', async () => {
    await commerce.addShop('acme', { customers: [fakeCustomer(1), fakeCustomer(2)] });
    await commerce.clients.start(['acme']);
    const status = await commerce.until('acme', (s) => hasRun(s, 1));
    const next = Date.parse(status.credentials[0]?.nextSyncAt ?? '');
    expect(next - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    expect(await commerce.rows(`SELECT data_type, external_id FROM client_data ORDER BY 2`)).toEqual([
      { data_type: 'customers', external_id: '1' },
      { data_type: 'customers', external_id: '2' },
    ]);
    expect(await commerce.rows(`SELECT success, records_stored FROM client_api_sync_results`)).toEqual([
      { success: true, records_stored: 2 },
    ]);
  });

  test('a forced run does not move the grid, and writes nothing that is known', async () => {
    const before = await commerce.clients.status('acme');
    const answer = await commerce.clients.requestSync('acme', { requestedBy: 'test' });
    expect(answer).toMatchObject({ state: 'started', workflowId: expect.stringContaining('client/acme/') });
    const after = await commerce.until('acme', (s) => hasRun(s, 2));
    expect(after.credentials[0]?.nextSyncAt).toBe(before?.credentials[0]?.nextSyncAt);
    const [result] = await commerce.rows(
      `SELECT records_stored, sync_triggered_by FROM client_api_sync_results ORDER BY started_at DESC LIMIT 1`,
    );
    expect(result).toEqual({ records_stored: 0, sync_triggered_by: 'test' });
  });
});
