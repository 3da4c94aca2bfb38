import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { backfillId, type BackfillInput } from '../../src/domain/backfills.ts';
import { startBackfill } from '../../src/temporal/backfills.ts';
import type { Recorded } from './history-scenarios.ts';
import { waitUntil } from './wait-until.ts';

/** Sent with every question about sales; must not get into a history. */
export const SALES_KEY_RECORDED = 'sales-key-of-the-recording';

const BAD_DAY = '2026-01-02';

interface BackfillParts {
  readonly client: Client;
  /** The variables that the worker reads at every step. */
  readonly env: Record<string, string>;
}

/** Leads backfills of the sales through everything that can happen to them. */
export async function* recordBackfillScenarios({ client, env }: BackfillParts): AsyncGenerator<Recorded> {
  const api = createServer((request, response) => {
    const day = new URL(request.url ?? '/', 'http://localhost').searchParams.get('start_date');
    const sale = {
      date: day,
      user_id: 'u1',
      product_name: 'Thing 1',
      quantity: 1,
      unit_price: 2,
      total_amount: 2,
      region: 'N',
    };
    response.end(JSON.stringify(day === BAD_DAY ? { error: 'no such day' } : [sale]));
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  env['SALES_API_URL'] = `http://127.0.0.1:${(api.address() as AddressInfo).port}/sales`;
  env['SALES_API_KEY'] = SALES_KEY_RECORDED;
  const start = async (input: Partial<BackfillInput> = {}): Promise<WorkflowHandle & { first: string }> => {
    const all = {
      sync: 'sales',
      from: '2026-01-01',
      to: '2026-01-04',
      concurrency: 2,
      requestedBy: 'recorder',
      ...input,
    };
    const first = await startBackfill(client, all);
    return Object.assign(client.workflow.getHandle(backfillId(all.sync)), { first });
  };
  try {
    const completed = await start();
    await completed.result();
    yield { scenario: 'backfillSync.completed', handle: ofRun(completed.first) };

    const paused = await start({ from: '2026-02-01', to: '2026-02-08', concurrency: 1 });
    await paused.signal('pause', { reason: 'recording' });
    const status = (): Promise<{ open: readonly unknown[] }> => paused.query('status');
    await waitUntil('nothing is open', async () => (await status()).open.length === 0);
    await paused.signal('resume');
    await paused.result();
    yield { scenario: 'backfillSync.paused', handle: ofRun(paused.first) };

    const continued = await start({ from: '2026-03-01', to: '2026-03-04', windowsPerHistory: 2 });
    await continued.result();
    yield { scenario: 'backfillSync.continued-as-new', handle: ofRun(continued.first) };
    yield { scenario: 'backfillSync.carried-over', handle: client.workflow.getHandle(backfillId('sales')) };

    const refused = await start({ sync: 'fleet' });
    await refused.result().catch(() => undefined);
    yield { scenario: 'backfillSync.refused', handle: refused };
  } finally {
    api.closeAllConnections();
    api.close();
  }

  function ofRun(runId: string): WorkflowHandle {
    return client.workflow.getHandle(backfillId('sales'), runId);
  }
}
