import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startRun } from '../../src/temporal/runs.ts';
import { carRecord, carRecords, stallFrom } from '../support/fake-auctions.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { runResult } from '../support/sync-harness.ts';

const { auctions, client, database, rows } = await startCarsHarness();

const statusOf = async (id: number): Promise<unknown> =>
  (await rows(`SELECT status FROM cars WHERE external_id = '${id}'`))[0]?.['status'];

test('a run of the first page within a full run costs neither its rows, and nothing travels back in time', async () => {
  auctions.cars = carRecords(120);
  const { asked, release } = stallFrom(auctions, 2);
  const full = await startRun(client, { sync: 'cars', full: true });
  await asked;

  // Meanwhile car 1 is sold and car 900 appears.
  const sold = carRecord(1, { status: 3 });
  auctions.cars = [carRecord(900), sold, ...carRecords(120).slice(1)];
  const handle = await client.workflow.start('runSync', {
    taskQueue: 'durasync',
    workflowId: `test/${randomUUID()}`,
    args: [{ sync: 'cars' }],
  });
  expect(await handle.result()).toMatchObject({ status: 'completed' });
  expect(await statusOf(1)).toBe('sold');

  release();
  await client.workflow.getHandle(full.workflowId, full.runId).result();
  expect(await runResult(database, full.runId)).toMatchObject({
    status: 'completed',
    tables: [{ status: 'completed', rows_processed: 120 }],
  });
  expect(await statusOf(1)).toBe('sold');
  expect(await statusOf(900)).toBe('active');
  expect(await rows(`SELECT count(*) FROM cars`)).toEqual([{ count: 121 }]);
});
