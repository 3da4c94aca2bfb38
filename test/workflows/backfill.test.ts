import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { BackfillInput, BackfillStatus } from '../../src/domain/backfills.ts';
import { SyncFailure } from '../../src/domain/failures.ts';
import { readSettings } from '../../src/settings.ts';
import { checkBackfill } from '../../src/syncs/check-backfill.ts';
import { syncs } from '../../src/syncs/index.ts';
import { toFailure } from '../../activities/to-failure.ts';
import { startTimeSkippingServer } from '../support/engines.ts';
import { waitUntil } from '../support/wait-until.ts';

const HOUR_MS = 3_600_000;
const KEYWORD = 2;
const YEAR: BackfillInput = { sync: 'sales', from: '2025-01-01', to: '2026-01-01' };

const environment = await startTimeSkippingServer();
await environment.connection.operatorService.addSearchAttributes({
  namespace: 'default',
  searchAttributes: { SyncName: KEYWORD, SyncTrigger: KEYWORD, RunStatus: KEYWORD },
});
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../support/light-workflows.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const checked: BackfillInput[] = [];
const worker = await Worker.create({
  connection: environment.nativeConnection,
  taskQueue: 'backfills',
  workflowBundle: { code },
  activities: {
    checkBackfill: async (input: BackfillInput): Promise<void> => {
      checked.push(input);
      const sync = syncs.find(({ name }) => name === input.sync);
      try {
        if (!sync) throw new SyncFailure('UnknownSync', `There is no sync '${input.sync}'.`);
        const env = { SALES_API_URL: 'http://localhost:1' };
        checkBackfill(sync, readSettings(sync.settings, env), input);
      } catch (error) {
        throw toFailure(error, 1);
      }
    },
  },
});
const running = worker.run();
afterAll(async () => {
  worker.shutdown();
  await running;
});
beforeEach(() => void checked.splice(0));

const start = (input: object) =>
  environment.client.workflow.start('backfillSync', {
    taskQueue: 'backfills',
    workflowId: `backfill/${randomUUID()}`,
    args: [input],
  });
const statusOf = (handle: WorkflowHandle): Promise<BackfillStatus> => handle.query('status');

/** How long it took by the server's clock, in hours. */
async function hoursOf(handle: WorkflowHandle): Promise<number> {
  const { startTime, closeTime } = await handle.describe();
  return Math.round(((closeTime?.getTime() ?? 0) - startTime.getTime()) / HOUR_MS);
}

test('a year of days runs four at a time; windows that fail or are held are reported and stop none of the others', async () => {
  const handle = await start(YEAR);
  expect(await handle.result()).toEqual({
    sync: 'sales',
    from: '2025-01-01',
    to: '2026-01-01',
    windows: 365,
    next: '2026-01-01',
    completed: 362,
    failed: 2,
    held: 1,
    rows: 728,
    open: [],
    pausedReason: null,
    problems: [
      expect.objectContaining({ from: '2025-02-13', outcome: 'failed', message: '2025-02-13 is a bad day' }),
      expect.objectContaining({ from: '2025-06-13', outcome: 'held', message: '2025-06-13 is a bad day' }),
      expect.objectContaining({ from: '2025-10-13', outcome: 'failed', message: 'nobody foresaw this' }),
    ],
  });
  // Each run takes an hour, so this many at once, all the time.
  expect(await hoursOf(handle)).toBe(Math.ceil(365 / 4));
}, 60_000);

test('the last window of several days is as short as it has to be', async () => {
  const handle = await start({ ...YEAR, to: '2025-01-11', days: 7, concurrency: 1 });
  expect(await handle.result()).toMatchObject({ windows: 2, completed: 2, next: '2025-01-11' });
  expect(await hoursOf(handle)).toBe(2);
});

test('while it is paused open windows end and none is started, also across histories', async () => {
  const handle = await start({ ...YEAR, to: '2025-01-09', concurrency: 2, windowsPerHistory: 3 });
  // Sent before anything has run: no window may be started.
  await handle.signal('pause', { reason: 'the source is being moved' });
  await environment.sleep('5 hours');
  expect(await statusOf(handle)).toMatchObject({ completed: 0, pausedReason: 'the source is being moved' });
  await handle.signal('resume');
  await environment.sleep('90 minutes');
  const { client } = environment;
  const newest = client.workflow.getHandle(handle.workflowId);
  await newest.signal('pause', undefined);
  await environment.sleep('5 hours');
  const paused = await statusOf(newest);
  expect(paused).toMatchObject({ pausedReason: 'paused', open: [], windows: 8 });
  expect(paused.completed).toBeGreaterThan(0);
  expect(paused.completed).toBeLessThan(8);
  await environment.sleep('5 hours');
  expect(await statusOf(newest)).toEqual(paused);
  await newest.signal('resume');
  expect(await newest.result()).toMatchObject({ completed: 8, failed: 0, rows: 16, pausedReason: null });
  // Only the first history asks whether there is something to do.
  expect(checked).toHaveLength(1);
});

test('continues as new with nothing open, and carries on where it was', async () => {
  const handle = await start({ ...YEAR, from: '2025-02-10', to: '2025-02-20', windowsPerHistory: 4 });
  expect(await handle.result()).toMatchObject({ windows: 10, completed: 9, failed: 1, rows: 20 });
  const first = await environment.client.workflow
    .getHandle(handle.workflowId, handle.firstExecutionRunId)
    .describe();
  expect(first.status.name).toBe('CONTINUED_AS_NEW');
});

test('a cancelled one stops its windows and ends', async () => {
  const handle = await start({ ...YEAR, to: '2025-01-05' });
  await environment.sleep('10 minutes');
  expect(await statusOf(handle)).toMatchObject({ open: [{ from: '2025-01-01' }, {}, {}, {}] });
  await handle.cancel();
  // Waiting for the result would let the windows' time pass before the server has passed the cancellation on.
  await waitUntil('it is cancelled', async () => (await handle.describe()).status.name === 'CANCELLED');
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(await statusOf(handle)).toMatchObject({ open: [], completed: 0 });
});

test.each([
  [{}, /The input of backfillSync is an object such as/],
  [
    { sync: 'fleet', from: '2025-01-01', to: '2025-01-02' },
    /fleet cannot be backfilled: its sources show only the present/,
  ],
  [
    { sync: 'commerce', from: '2025-01-01', to: '2025-01-02' },
    /commerce cannot be backfilled.*clients sync ID/,
  ],
  [{ sync: 'sales', from: '2025-01-02', to: '2025-01-02' }, /--from 2025-01-02 must be before/],
  [{ ...YEAR, days: 0 }, /days: /],
  [{ ...YEAR, concurrency: 51 }, /concurrency: /],
  [{ ...YEAR, sync: 'nothing' }, /There is no sync 'nothing'/],
])('%o is refused with the reason', async (input, message) => {
  const failure: unknown = await (await start(input)).result().catch((error: unknown) => error);
  const causes: string[] = [];
  for (let at = failure; at instanceof Error; at = at.cause) causes.push(at.message);
  expect(causes.join('; ')).toMatch(message);
});
