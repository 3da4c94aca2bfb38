import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { commerceProcesses } from '../support/commerce-processes.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { answerNight, firstNight, fleetVariables } from '../support/fault-fleet.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import type { StartedDurasync } from '../support/started-durasync.ts';
import { waitUntil } from '../support/wait-until.ts';

const [database, { address, namespace, client }, server] = await Promise.all([
  createTestDatabase(),
  createTestNamespace(),
  startCsvServer(),
]);
answerNight(server, '', firstNight);
const processes = await commerceProcesses({ database, address, namespace, env: fleetVariables(server, '') });

/** `kill` of one that stops well ends it with 0. */
async function terminate({ child, exited }: StartedDurasync): Promise<void> {
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
}

const start = (tables?: readonly string[]): Promise<WorkflowHandle> =>
  client.workflow.start('runSync', {
    taskQueue: 'durasync',
    workflowId: `test/${randomUUID()}`,
    args: [{ sync: 'fleet', tables }],
  });

interface Step {
  readonly worker: string;
  readonly attempt: number;
  readonly lastFailure: string | undefined;
}

async function stepsOf(handle: WorkflowHandle): Promise<Step[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started
      ? [
          {
            worker: started.identity ?? '',
            attempt: started.attempt ?? 0,
            lastFailure: started.lastFailure?.message ?? undefined,
          },
        ]
      : [],
  );
}

/** A run in the middle of its vehicles, which come to their end when they are released. */
async function startStalled(): Promise<{ handle: WorkflowHandle; release(): void }> {
  const stalled = stalledAnswer(firstNight.FMS_VEHICLES_CSV_URL, 100);
  let isAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, (request, response) => {
    isAsked();
    if (typeof stalled.answer === 'function') return stalled.answer(request, response);
    throw new Error('a stalled answer is a function');
  });
  const handle = await start(['vehicles']);
  await asked;
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, firstNight.FMS_VEHICLES_CSV_URL);
  return { handle, release: stalled.release };
}

/** The worker that is there when a test begins. */
let first: StartedDurasync;
beforeAll(async () => {
  first = await processes.startWorker();
});

const workersOf = (steps: readonly Step[]): number => new Set(steps.map(({ worker }) => worker)).size;

test('two workers share a queue: both work, each step is done once, and what is live is what the source shows', async () => {
  const second = await processes.startWorker();
  onTestFinished(() => terminate(second));
  const steps: Step[] = [];
  // Which of the two takes a run is chance.
  for (let round = 1; round <= 10 && workersOf(steps) < 2; round += 1) {
    const runs = await Promise.all([1, 2, 3].map(() => start()));
    await Promise.all(runs.map((handle) => handle.result()));
    steps.push(...(await Promise.all(runs.map(stepsOf))).flat());
  }
  expect(workersOf(steps)).toBe(2);
  expect(steps.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  const { rows } = await database.pool.query('SELECT count(*)::int AS vehicles FROM fleet.vehicles');
  expect(rows).toEqual([{ vehicles: 1500 }]);
}, 120_000);

test('a worker that is asked to stop ends its step, and another one goes on with the run: no attempt fails', async () => {
  const { handle, release } = await startStalled();
  const stopping = first;
  first = await processes.startWorker();
  const stopped = terminate(stopping);
  await waitUntil('the first worker takes no more work', () => stopping.output().includes('stopping'));
  release();
  await handle.result();
  await stopped;
  const steps = await stepsOf(handle);
  expect(workersOf(steps)).toBe(2);
  expect(steps.filter(({ attempt }) => attempt !== 1)).toEqual([]);
}, 120_000);

test('a step that does not end in time is begun again by another worker at once, and not after a timeout', async () => {
  const { handle } = await startStalled();
  const stopping = first;
  first = await processes.startWorker();
  const askedAt = performance.now();
  await terminate(stopping);
  expect(await handle.result()).toMatchObject({ status: 'completed' });
  expect(performance.now() - askedAt).toBeLessThan(15_000);
  const again = (await stepsOf(handle)).filter(({ attempt }) => attempt > 1);
  expect(again).toHaveLength(1);
  expect(again[0]?.lastFailure).not.toMatch(/timeout/i);
}, 120_000);
