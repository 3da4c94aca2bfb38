import type { ChildProcess } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { booking, startFakeRentals } from '../support/fake-rentals.ts';
import {
  killHard,
  type RunningWorker,
  startWorkerHere,
  startWorkersInChild,
} from '../support/fault-worker.ts';
import { runResult } from '../support/sync-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = await createTestDatabase();
const { client, address, namespace } = await createTestNamespace();
const api = await startFakeRentals();
const HANGING = 12;
const target = {
  address,
  namespace,
  taskQueue: 'rentals-kill',
  databaseUrl: database.databaseUrl,
  env: { RETURN_API_BASE_URL: api.url, SYNC_CONCURRENCY: '1' },
  bundles: SHARED_BUILDS,
};
let child: ChildProcess | undefined;
let worker: RunningWorker | undefined;

afterAll(async () => {
  if (child) await killHard(child);
  await worker?.stop();
});

test('a worker killed in the middle of the locations costs only the location it was at', async () => {
  for (let id = 1; id <= 23; id += 1) api.answer('bookings', id, [booking(id)]);
  let hangs = true;
  api.answer('bookings', HANGING, (_call, response) => {
    if (!hangs) response.end(JSON.stringify([booking(HANGING)]));
  });
  child = await startWorkersInChild([target]);
  const handle = await client.workflow.start('runSync', {
    taskQueue: target.taskQueue,
    workflowId: 'rentals',
    args: [{ sync: 'rentals', tables: ['bookings'] }],
  });
  await waitUntil('the location that hangs is asked', () =>
    api.calledFor('bookings').includes(String(HANGING)),
  );
  await waitUntil('those before it are committed', async () => {
    const { rows } = await database.pool.query(
      `SELECT jsonb_array_length(next_cursor::jsonb->'done') AS done FROM durasync.staging_progress`,
    );
    return rows[0]?.done === 9;
  });
  await killHard(child);
  hangs = false;
  worker = await startWorkerHere(target);
  await handle.result();
  const result = await runResult(database, handle.firstExecutionRunId as RunId);
  expect(result).toMatchObject({
    status: 'completed',
    notices: ['bookings: 21/21 locations read, 0 errors.'],
  });
  expect(result.tables).toMatchObject([{ table: 'bookings', inserted: 21, duplicates: 0 }]);
  const called = api.calledFor('bookings');
  expect(called.filter((id) => id === String(HANGING))).toHaveLength(2);
  expect(called).toHaveLength(22);
  const marks = await database.pool.query(`SELECT count(*) FROM durasync.watermarks`);
  expect(marks.rows).toEqual([{ count: 21 }]);
}, 120_000);
