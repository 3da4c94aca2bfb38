import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { ClientStatus, ForceRequest, RequestAnswer } from '../../src/domain/clients.ts';
import { clientWorkflowId } from '../../src/domain/clients.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { startTimeSkippingServer } from '../support/engines.ts';
import { fakeClients, type FakeConnection, refused } from '../support/fake-clients.ts';
import { waitUntil } from '../support/wait-until.ts';

const HOUR_MS = 3_600_000;
/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;
const environment = await startTimeSkippingServer();
const names = ['SyncName', 'ClientId', 'Platform', 'SyncTrigger', 'RunStatus'];
await environment.connection.operatorService.addSearchAttributes({
  namespace: 'default',
  searchAttributes: Object.fromEntries(names.map((name) => [name, KEYWORD])),
});
const fake = fakeClients();
const worker = await Worker.create({
  connection: environment.nativeConnection,
  taskQueue: 'clients',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities: fake.activities,
});
const stopped = worker.run();
afterAll(async () => {
  worker.shutdown();
  await stopped;
});
beforeEach(() => {
  fake.planned.length = 0;
  fake.recorded.length = 0;
  fake.reads = 0;
});

// Clients are removed and not terminated: this server skips no more time while an activity is lost.
afterEach(async () => {
  fake.on.planRun = fake.on.readClient = fake.on.recordClientRun = fake.on.finishRun = undefined;
  fake.recordedBy = 'run';
  for (const door of fake.doors.splice(0)) door.open();
  for (const [clientId, handle] of started) {
    started.delete(clientId);
    fake.clients.delete(clientId);
    await handle.signal('reload').catch(() => undefined);
    // Asking for the result would let time run until there is one.
    await waitUntil(`${clientId} has ended`, async () => !(await isRunning(handle)));
  }
});
const started = new Map<string, WorkflowHandle>();
let last = 0;

/** A client of its own, first due in `dueInHours`, and its workflow. */
async function start(dueInHours: number, ...connections: FakeConnection[]) {
  const clientId = `client-${(last += 1)}`;
  const now = await environment.currentTimeMs();
  fake.add(clientId, now + dueInHours * HOUR_MS, connections);
  const handle = await environment.client.workflow.start('syncClient', {
    taskQueue: 'clients',
    workflowId: clientWorkflowId(clientId),
    args: [{ clientId }],
  });
  started.set(clientId, handle);
  return { clientId, handle, startedMs: now };
}

const status = (handle: WorkflowHandle) => handle.query<ClientStatus>('status');
const request = (handle: WorkflowHandle, wish: ForceRequest = {}) =>
  handle.executeUpdate<RequestAnswer, [ForceRequest]>('requestSync', { args: [wish] });
const recorded = (count: number) =>
  waitUntil(`${count} runs are recorded`, () => fake.recorded.length >= count);
const hours = (count: number) => environment.sleep(count * HOUR_MS);
const isRunning = async (handle: WorkflowHandle) => (await handle.describe()).status.name === 'RUNNING';

describe('a client', () => {
  test('runs each connection in its own frequency, on the grid', async () => {
    const { startedMs } = await start(1, { id: 'daily', hours: 24 }, { id: 'often', hours: 5 });
    await hours(49.5);
    const hoursOf = (id: string) =>
      fake.startsOf(id).map((ms) => Math.round(((ms - startedMs) / HOUR_MS) * 100) / 100);
    expect(hoursOf('daily')).toEqual([1, 25, 49]);
    expect(hoursOf('often')).toEqual([1, 6, 11, 16, 21, 26, 31, 36, 41, 46]);
  });

  test('records the runs of a release that did not record them itself', async () => {
    fake.recordedBy = 'client';
    const { startedMs } = await start(1, { id: 'one', hours: 5 });
    await hours(12);
    const hoursOf = fake.startsOf('one').map((ms) => Math.round((ms - startedMs) / HOUR_MS));
    expect(hoursOf).toEqual([1, 6, 11]);
  });

  test('a change that is known while a run ends outlives what the run says of the client', async () => {
    const told = fake.door();
    fake.on.finishRun = () => told.opened;
    const { handle } = await start(0, { id: 'one', hours: 24 });
    await recorded(1);
    const connection = async () => (await status(handle)).credentials[0];
    await handle.signal('setFrequency', { hours: 5 });
    await waitUntil('the change is known', async () => (await connection())?.frequencyHours === 5);
    told.open();
    await waitUntil('the run has ended', async () => (await connection())?.running === null);
    expect((await connection())?.frequencyHours).toBe(5);
  });

  test('starts distinct children when two connections are due together and one force is for all platforms', async () => {
    const both = fake.door();
    fake.on.planRun = () => both.opened;
    const { handle, clientId } = await start(
      0,
      { id: 'one', hours: 24, platform: 'shopify' },
      { id: 'two', hours: 24, platform: 'amazon' },
    );
    await waitUntil('both runs are under way', () => fake.planned.length === 2);
    await handle.signal('forceSync');
    both.open();
    await recorded(4);
    const runs = fake.recorded.map(({ credentialId, trigger }) => `${credentialId} ${trigger}`);
    expect(runs.sort()).toEqual(['one schedule', 'one signal', 'two schedule', 'two signal']);
    expect(new Set(fake.recorded.map(({ workflowId }) => workflowId)).size).toBe(4);
    expect(new Set(fake.recorded.map(({ runId }) => runId)).size).toBe(4);
    for (const { workflowId, credentialId } of fake.recorded) {
      expect(workflowId.startsWith(`client/${clientId}/${credentialId}/`)).toBe(true);
    }
  });

  test('never starts a run again that is being recorded while the client is read', async () => {
    const { handle } = await start(0, { id: 'one', hours: 24 }, { id: 'two', hours: 24 });
    const slowRead = fake.door();
    const reading = fake.door();
    fake.on.planRun = async ({ scope }) => {
      if (scope !== 'two') return;
      // The client is read again now, as it is before this run is recorded; the answer comes after it.
      fake.on.readClient = () => (reading.open(), slowRead.opened);
      await handle.signal('reload');
      await reading.opened;
      fake.on.readClient = undefined;
    };
    await recorded(2);
    slowRead.open();
    await waitUntil('the client is idle', async () =>
      (await status(handle)).credentials.every(
        ({ running, nextSyncAt }) => !running && Date.parse(nextSyncAt) > 0,
      ),
    );
    await handle.signal('reload');
    await hours(1);
    expect(fake.recorded.map(({ credentialId }) => credentialId).sort()).toEqual(['one', 'two']);
  });

  test('waits for a due time that is years away, and answers meanwhile', async () => {
    const { handle } = await start(9 * 365 * 24, { id: 'rare', hours: 87_600 });
    expect(await request(handle)).toMatchObject({ state: 'started' });
    await recorded(1);
    await hours(100 * 24);
    expect(fake.recorded).toHaveLength(1);
    await hours(9 * 365 * 24);
    expect(fake.recorded).toHaveLength(2);
  });
});

describe('a force', () => {
  test('during a run is queued, and all that come then lead to one run', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    const { handle } = await start(24, { id: 'one', hours: 24 });
    const first = await request(handle, { requestedBy: 'ann' });
    expect(first).toMatchObject({ state: 'started' });
    expect(first.coalescedInto).toBeUndefined();
    const second = await request(handle, { requestedBy: 'bob' });
    expect(second).toMatchObject({ state: 'queued' });
    expect(second.workflowId).not.toBe(first.workflowId);
    await handle.signal('forceSync', { requestedBy: 'eve' });
    const third = await request(handle);
    expect(third).toMatchObject({ state: 'queued', workflowId: second.workflowId });
    expect(second.workflowId.endsWith(`/${third.coalescedInto}`)).toBe(true);
    expect((await status(handle)).credentials[0]).toMatchObject({
      running: first.workflowId,
      queued: third.coalescedInto,
    });
    door.open();
    await recorded(2);
    await hours(1);
    expect(fake.recorded.map(({ workflowId, triggeredBy }) => [workflowId, triggeredBy])).toEqual([
      [first.workflowId, 'ann'],
      [second.workflowId, 'bob'],
    ]);
  });

  test('is for one platform when it names one, and refused when the client has none', async () => {
    const { handle, clientId } = await start(24, { id: 'one', hours: 24, platform: 'amazon' });
    await expect(request(handle, { platform: 'shopify' })).rejects.toMatchObject({
      cause: { message: `Client ${clientId} has no shopify connection that could sync.` },
    });
    const answer = await request(handle, { platform: 'amazon' });
    expect(answer.runs.map(({ credentialId }) => credentialId)).toEqual(['one']);
    await recorded(1);
  });

  test('is refused with the reason while the client is paused, and taken right after it is resumed', async () => {
    const { handle, clientId } = await start(1, { id: 'one', hours: 24 });
    await handle.signal('pause', { reason: 'shop is moving' });
    const refusal = await request(handle).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(refusal).toMatchObject({
      cause: { message: `Client ${clientId} is paused: shop is moving`, type: 'Paused' },
    });
    await handle.signal('forceSync');
    await hours(30);
    expect(fake.planned).toHaveLength(0);
    expect((await status(handle)).pausedReason).toBe('shop is moving');
    await handle.signal('resume');
    // The run that was due meanwhile is ahead of it.
    expect(await request(handle)).toMatchObject({ state: 'queued' });
    await recorded(2);
    expect(fake.recorded.map(({ trigger }) => trigger)).toEqual(['schedule', 'signal']);
  });

  test('that is queued when the client is paused waits until it is resumed', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    const { handle } = await start(24, { id: 'one', hours: 24 });
    await request(handle);
    const queued = await request(handle);
    await handle.signal('pause');
    await waitUntil('it is paused', async () => (await status(handle)).pausedReason === 'paused');
    door.open();
    await recorded(1);
    await hours(1);
    expect(fake.recorded).toHaveLength(1);
    await handle.signal('resume');
    await recorded(2);
    expect(fake.recorded[1]?.workflowId).toBe(queued.workflowId);
  });

  test('pausing and resuming at once ends resumed, in the order of the signals', async () => {
    const { handle } = await start(24, { id: 'one', hours: 24 });
    for (let round = 0; round < 10; round += 1) {
      await handle.signal('pause');
      await handle.signal('resume');
    }
    expect(await request(handle)).toMatchObject({ state: 'started' });
  });
});

describe('what does not stop a client', () => {
  test.each([
    ['forceSync', [null]],
    ['forceSync', ['shopify']],
    ['forceSync', [{ platform: 'ebay', requestedBy: 7 }]],
    ['pause', [null]],
    ['pause', [{ reason: '' }]],
    ['setFrequency', []],
    ['setFrequency', [null]],
    ['setFrequency', [{ hours: 0 }]],
    ['setFrequency', [{ hours: -1 }]],
    ['setFrequency', [{ hours: 'often' }]],
    ['reload', [null]],
    ['unheard of', [{}]],
  ])('the signal %s with %j', async (signal, args) => {
    const { handle } = await start(24, { id: 'one', hours: 24 });
    await handle.signal(signal, ...args);
    await handle.signal('resume');
    expect((await request(handle)).runs).toHaveLength(1);
    expect((await status(handle)).credentials[0]).toMatchObject({ frequencyHours: 24, pausedReason: null });
  });

  test('a run that cannot even be planned', async () => {
    fake.on.planRun = async () => {
      throw refused('There is no connection: it was removed.');
    };
    const { handle } = await start(0, { id: 'one', hours: 24 });
    await recorded(1);
    expect(fake.recorded[0]).toMatchObject({
      outcome: 'failure',
      message: 'There is no connection: it was removed.',
      runId: fake.planned[0]?.runId,
    });
    expect(await isRunning(handle)).toBe(true);
  });

  test('a run that cannot be recorded: its connection rests instead of running for ever', async () => {
    fake.recordedBy = 'client';
    fake.on.recordClientRun = async () => {
      throw refused('no such column');
    };
    const { handle } = await start(0, { id: 'one', hours: 24 });
    await hours(2.5);
    expect(fake.planned).toHaveLength(3);
    fake.on.recordClientRun = undefined;
    await hours(1);
    expect(fake.recorded).toHaveLength(1);
    expect(await isRunning(handle)).toBe(true);
  });

  test('a client that cannot be read for a while', async () => {
    fake.on.readClient = async () => {
      throw ApplicationFailure.nonRetryable('no such column', 'DatabaseRefused');
    };
    await start(0, { id: 'one', hours: 24 });
    await hours(0.1);
    expect(fake.reads).toBeGreaterThan(3);
    expect(fake.reads).toBeLessThan(10);
    fake.on.readClient = undefined;
    await hours(0.1);
    expect(fake.recorded).toHaveLength(1);
  });
});

describe('a removed client', () => {
  test('ends, once its open run has ended', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    const { handle, clientId } = await start(0, { id: 'one', hours: 24 });
    await waitUntil('the run is under way', () => fake.planned.length === 1);
    fake.clients.delete(clientId);
    await handle.signal('reload');
    await waitUntil('it knows', async () => (await status(handle)).credentials.length === 0);
    expect(await isRunning(handle)).toBe(true);
    await expect(request(handle)).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    door.open();
    await handle.result();
    expect(fake.recorded).toHaveLength(1);
  });

  test('goes on when it comes back before it has ended', async () => {
    const door = fake.door();
    fake.on.planRun = () => door.opened;
    const { handle, clientId } = await start(0, { id: 'one', hours: 24 });
    await waitUntil('the run is under way', () => fake.planned.length === 1);
    const kept = fake.clients.get(clientId) ?? [];
    fake.clients.delete(clientId);
    await handle.signal('reload');
    await waitUntil('it knows', async () => (await status(handle)).credentials.length === 0);
    fake.clients.set(clientId, kept);
    await handle.signal('reload');
    await waitUntil('it knows again', async () => (await status(handle)).credentials.length === 1);
    door.open();
    await hours(25);
    expect(fake.recorded).toHaveLength(2);
  });
});
