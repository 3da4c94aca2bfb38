import { expect, test } from 'vitest';
import { startRun } from '../../src/temporal/runs.ts';
import { carRecords } from '../support/fake-auctions.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { killHard, startWorkersInChild } from '../support/fault-worker.ts';
import { runResult } from '../support/sync-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const PAGES = 500;
const KILLED_AT = 200;
/** Pages that may have come after the last one that was kept. */
const ASKED_AGAIN_MAX = 40;

const { auctions, client, database, target, rows } = await startCarsHarness('none');

test('a full run of 500 pages survives the death of its worker and goes on at its page', async () => {
  auctions.perPage = 2;
  auctions.cars = carRecords(PAGES * auctions.perPage);
  const first = await startWorkersInChild([target]);
  const { runId, workflowId } = await startRun(client, { sync: 'cars', full: true });
  await waitUntil(`page ${KILLED_AT} is asked for`, () => auctions.requests.has(KILLED_AT));
  await killHard(first);
  const asked = Math.max(...auctions.requests.keys());
  expect(asked).toBeLessThan(PAGES);

  const second = await startWorkersInChild([target]);
  await client.workflow.getHandle(workflowId, runId).result();
  await killHard(second);
  expect(await runResult(database, runId)).toMatchObject({
    status: 'completed',
    tables: [{ rows_processed: PAGES * auctions.perPage, inserted: PAGES * auctions.perPage, duplicates: 0 }],
  });
  const twice = [...auctions.requests].filter(([, times]) => times > 1).map(([page]) => page);
  expect([...auctions.requests.keys()].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: PAGES }, (_, index) => index + 1),
  );
  expect(twice.length).toBeLessThan(ASKED_AGAIN_MAX);
  expect(twice.every((page) => page > asked - ASKED_AGAIN_MAX && page <= asked)).toBe(true);
  expect(await rows(`SELECT count(*) FROM cars WHERE status = 'active'`)).toEqual([
    { count: PAGES * auctions.perPage },
  ]);
}, 120_000);
