import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { type ClientStatus, clientWorkflowId, type ForceRequest } from '../../src/domain/clients.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createTestNamespace } from '../support/engines.ts';
import { fakeClients, type FakeConnection } from '../support/fake-clients.ts';
import { waitUntil } from '../support/wait-until.ts';

const HOUR_MS = 3_600_000;
const SIGNALS = 300;
/** Each client continues as new twice. */
const SIGNALS_EACH = 50;

// A real server, because it decides what becomes of a signal that comes in the task that continues as new.
const { client, address, namespace } = await createTestNamespace();
const fake = fakeClients();
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: 'clients',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities: fake.activities,
});
const running = worker.run();
afterAll(async () => {
  worker.shutdown();
  await running;
  await connection.close();
});
beforeEach(() => {
  fake.planned.length = 0;
  fake.recorded.length = 0;
});
afterEach(async () => {
  fake.on.planRun = undefined;
  for (const door of fake.doors.splice(0)) door.open();
  for (const clientId of fake.clients.keys()) {
    await client.workflow.getHandle(clientWorkflowId(clientId)).terminate();
  }
  fake.clients.clear();
});

/** A client whose connections are not due for a day. */
async function start(clientId: string, ...connections: FakeConnection[]): Promise<WorkflowHandle> {
  fake.add(clientId, Date.now() + 24 * HOUR_MS, connections);
  const { workflowId } = await startWorkflow(clientId);
  return client.workflow.getHandle(workflowId);
}

const startWorkflow = (clientId: string): Promise<WorkflowHandle> =>
  client.workflow.start('syncClient', {
    taskQueue: 'clients',
    workflowId: clientWorkflowId(clientId),
    args: [{ clientId }],
  });

const clients = clientWorkflows(client, 'clients');
const request = (clientId: string, wish: ForceRequest = {}) => clients.requestSync(clientId, wish);

const recordedOf = (clientId: string) => fake.recorded.filter((run) => run.clientId === clientId);
const plannedBy = (clientId: string, person: string): boolean =>
  fake.planned.some(
    ({ workflowId, triggeredBy }) => triggeredBy === person && workflowId.startsWith(`client/${clientId}/`),
  );

/** The executions of a client's workflow, oldest first, without their children. */
async function executions(clientId: string): Promise<string[]> {
  const found: { runId: string; startTime: Date; status: string }[] = [];
  for await (const each of client.workflow.list({ query: `WorkflowId = '${clientWorkflowId(clientId)}'` })) {
    found.push({ runId: each.runId, startTime: each.startTime, status: each.status.name });
  }
  return found.toSorted((a, b) => a.startTime.getTime() - b.startTime.getTime()).map(({ status }) => status);
}

describe('across continue-as-new', () => {
  test(`each of ${SIGNALS} signals leads to its run, each sent while the run before is open`, async () => {
    const send = async (clientId: string): Promise<void> => {
      const handle = await start(clientId, { id: 'one', hours: 24 });
      for (let n = 1; n <= SIGNALS_EACH; n += 1) {
        await handle.signal('forceSync', { requestedBy: `person ${n}` });
        // The next signal comes while this run ends, so now and then in the task that continues as new.
        await waitUntil(`run ${n} has begun`, () => plannedBy(clientId, `person ${n}`));
      }
    };
    const clientIds = Array.from({ length: SIGNALS / SIGNALS_EACH }, (_, index) => `signals-${index}`);
    await Promise.all(clientIds.map(send));
    await waitUntil('all are recorded', () => fake.recorded.length === SIGNALS);
    const people = Array.from({ length: SIGNALS_EACH }, (_, index) => `person ${index + 1}`);
    for (const clientId of clientIds) {
      expect(recordedOf(clientId).map(({ triggeredBy }) => triggeredBy)).toEqual(people);
      await waitUntil('its executions are listed', async () => (await executions(clientId)).length >= 3);
      const statuses = await executions(clientId);
      expect(new Set(statuses.slice(0, -1))).toEqual(new Set(['CONTINUED_AS_NEW']));
      expect(statuses.at(-1)).toBe('RUNNING');
    }
    expect(new Set(fake.recorded.map(({ runId }) => runId)).size).toBe(SIGNALS);
    expect(fake.recorded.every(({ outcome }) => outcome === 'success')).toBe(true);
  }, 120_000);

  test('signals and updates that come all the time, from several senders, are all served by a later run', async () => {
    const handle = await start(
      'burst',
      { id: 'one', hours: 24 },
      { id: 'two', hours: 24, platform: 'amazon' },
    );
    const promised = new Set<string>();
    const send = async (sender: number): Promise<void> => {
      for (let n = 0; recordedOf('burst').length < 60; n += 1) {
        if (sender % 2 === 0) await handle.signal('forceSync', { platform: n % 2 ? 'amazon' : 'shopify' });
        else for (const { workflowId } of (await request('burst')).runs) promised.add(workflowId);
        // With little pause one always comes while it continues as new, so it never can on a slow machine, and the server
        // takes no more than 10,000 signals for one history.
        await sleep(100);
      }
    };
    await Promise.all([0, 1, 2, 3].map(send));
    const last = await request('burst');
    for (const { workflowId } of last.runs) promised.add(workflowId);
    const kept = () => new Set(recordedOf('burst').map(({ workflowId }) => workflowId));
    await waitUntil('every promised run is recorded', () => [...promised].every((id) => kept().has(id)));
    expect(recordedOf('burst').length).toBe(kept().size);
    await waitUntil('it has continued as new', async () => (await executions('burst')).length > 1);
  }, 60_000);

  test('no child is open: a long run of one connection is waited for, while the other goes on', async () => {
    const door = fake.door();
    fake.on.planRun = async ({ scope }) => {
      if (scope === 'slow') await door.opened;
    };
    const handle = await start(
      'slow',
      { id: 'slow', hours: 24 },
      { id: 'quick', hours: 24, platform: 'amazon' },
    );
    const { workflowId: slowRun } = await request('slow', { platform: 'shopify' });
    for (let n = 1; n <= 30; n += 1) {
      await request('slow', { platform: 'amazon' });
      await waitUntil(`run ${n} is recorded`, () => recordedOf('slow').length === n);
    }
    expect(await executions('slow')).toEqual(['RUNNING']);
    door.open();
    await waitUntil('the slow run is recorded', () => recordedOf('slow').length === 31);
    expect(recordedOf('slow').at(-1)).toMatchObject({ workflowId: slowRun, outcome: 'success' });
    await waitUntil('it continues', async () => (await executions('slow')).length === 2);
    await waitUntil('it knows its connections', async () => {
      const { credentials } = await handle.query<ClientStatus>('status');
      return credentials.length === 2;
    });
  }, 60_000);
});

describe('what a person ends by force', () => {
  test('a terminated run is recorded as failed, and its client goes on', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    const handle = await start('terminated', { id: 'one', hours: 24 });
    const { workflowId } = await request('terminated');
    await waitUntil('the run has begun', () => fake.planned.length === 1);
    await client.workflow.getHandle(workflowId).terminate();
    await waitUntil('it is recorded', () => recordedOf('terminated').length === 1);
    expect(recordedOf('terminated')[0]).toMatchObject({ outcome: 'failure', runId: fake.planned[0]?.runId });
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('a cancelled run is recorded as cancelled', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    await start('cancelled', { id: 'one', hours: 24 });
    const { workflowId } = await request('cancelled');
    await waitUntil('the run has begun', () => fake.planned.length === 1);
    await client.workflow.getHandle(workflowId).cancel();
    door.open();
    await waitUntil('it is recorded', () => recordedOf('cancelled').length === 1);
    expect(recordedOf('cancelled')[0]).toMatchObject({
      outcome: 'failure',
      message: 'The run was cancelled.',
    });
  });

  test('a run that a terminated client left behind is neither doubled nor counted as failed', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    fake.add('left', Date.now(), [{ id: 'one', hours: 24 }]);
    const handle = await startWorkflow('left');
    await waitUntil('the run has begun', () => fake.planned.length === 1);
    await handle.terminate();
    const again = await startWorkflow('left');
    await waitUntil('it has tried', async () => {
      const { runsSinceStart, credentials } = await again.query<ClientStatus>('status');
      return runsSinceStart === 1 && credentials[0]?.running === null;
    });
    expect(fake.planned).toHaveLength(1);
    expect(recordedOf('left')).toHaveLength(0);
  });
});
