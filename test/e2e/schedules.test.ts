import { ScheduleOverlapPolicy } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { runTimeoutMs } from '../../src/syncs/define-sync.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import type { SyncDefinition } from '../../src/syncs/define-sync.ts';
import {
  applySchedules,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
  UnknownScheduleError,
} from '../../src/temporal/schedules.ts';
import { createTestNamespace } from '../support/engines.ts';

const { client } = await createTestNamespace();

const ON = { FMS_VEHICLES_CSV_URL: 'http://127.0.0.1:1/active_vehicles.rpt' };

/** The fleet sync under another name, so that each test has a schedule of its own. */
function syncNamed(name: string): SyncDefinition & { readonly id: string } {
  const id = `${name}-nightly`;
  const schedules: SyncDefinition['schedules'] = (settings) =>
    fleet.schedules(settings).map((schedule) => ({ ...schedule, id, input: { sync: name } }));
  return { ...fleet, name, id, schedules };
}

async function apply(sync: SyncDefinition, env: Readonly<Record<string, string>>) {
  const applied = await applySchedules({ client, syncs: [sync], env });
  return Object.fromEntries(applied.map(({ id, outcome }) => [id, outcome]));
}

const describeSchedule = (id: string) => client.schedule.getHandle(id).describe();
const rowOf = (id: string) =>
  vi.waitFor(async () => {
    const row = (await listSchedules(client)).find((candidate) => candidate.id === id);
    if (!row) throw new Error(`${id} is not listed yet`);
    return row;
  }, 10_000);

describe('applying the schedules', () => {
  test('makes each with its policies, its limits and its input', async () => {
    const sync = syncNamed('made');
    expect((await apply(sync, ON))[sync.id]).toBe('created');
    const { action, policies, state } = await describeSchedule(sync.id);
    expect(policies).toEqual({
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: 6 * 3_600_000,
      pauseOnFailure: false,
    });
    expect(action).toMatchObject({
      workflowType: 'runSync',
      workflowId: 'scheduled/made-nightly',
      taskQueue: 'durasync',
      args: [{ sync: 'made', trigger: 'schedule' }],
      workflowRunTimeout: runTimeoutMs(fleet, {}),
      staticSummary: fleet.title,
      searchAttributes: { SyncName: ['made'], SyncTrigger: ['schedule'] },
    });
    expect(state.paused).toBe(false);
    expect((await describeSchedule('sweep-runs')).action.workflowType).toBe('sweepRuns');
  });

  test.each([
    ['at a time that may come twice', { hour: 1, minute: 30 }, 'America/Los_Angeles'],
    ['at a time that clocks move by half an hour', { hour: 2, minute: 15 }, 'Australia/Lord_Howe'],
    ['at several times', { cron: '0,30 1,2 * * *' }, 'America/Los_Angeles'],
    ['every five minutes', { cron: '*/5 * * * *' }, 'UTC'],
  ])('twice changes nothing in a schedule %s', async (_, at, timeZone) => {
    const sync = syncNamed('twice');
    const schedule = { id: sync.id, at, timeZone, catchupWindowMs: 300_000, input: { sync: sync.name } };
    const definition = { ...sync, schedules: () => [schedule] };
    await apply(definition, ON);
    const before = await describeSchedule(sync.id);
    expect(await apply(definition, ON)).toMatchObject({ [sync.id]: 'unchanged', 'sweep-runs': 'unchanged' });
    const after = await describeSchedule(sync.id);
    expect(after.info.lastUpdatedAt).toEqual(before.info.lastUpdatedAt);
  });

  test('several times at once ends with the same schedules', async () => {
    const sync = syncNamed('at-once');
    await Promise.all([1, 2, 3, 4].map(() => apply(sync, ON)));
    expect((await apply(sync, ON))[sync.id]).toBe('unchanged');
  });

  test('brings a changed setting, input or title to the server', async () => {
    const sync = syncNamed('changed');
    await apply(sync, ON);
    expect((await apply(sync, { ...ON, SYNC_HOUR: '4' }))[sync.id]).toBe('updated');
    expect((await rowOf(sync.id)).spec).toBe('daily 04:00 America/Los_Angeles');
    expect((await apply({ ...sync, title: 'Another' }, { ...ON, SYNC_HOUR: '4' }))[sync.id]).toBe('updated');
    expect((await apply({ ...sync, title: 'Another' }, { ...ON, SYNC_HOUR: '4' }))[sync.id]).toBe(
      'unchanged',
    );
    const full = { ...sync, schedules: () => fullRuns(sync) };
    expect((await apply(full, ON))[sync.id]).toBe('updated');
    expect((await describeSchedule(sync.id)).action.args).toEqual([
      { sync: 'changed', full: true, trigger: 'schedule' },
    ]);
  });

  test('takes back what was changed outside', async () => {
    const sync = syncNamed('meddled');
    await apply(sync, ON);
    await client.schedule.getHandle(sync.id).update((schedule) => ({
      ...schedule,
      spec: { intervals: [{ every: 60_000 }] },
    }));
    expect((await rowOf(sync.id)).spec).toBe('changed outside Durasync');
    expect((await apply(sync, ON))[sync.id]).toBe('updated');
    expect((await rowOf(sync.id)).spec).toBe('daily 02:00 America/Los_Angeles');
  });

  test("removes ours that no sync has any more, and leaves others' alone", async () => {
    const gone = syncNamed('gone');
    const theirs = { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs' } as const;
    await client.schedule.create({ scheduleId: 'theirs', spec: {}, action: theirs });
    const taken = syncNamed('taken');
    await client.schedule.create({ scheduleId: taken.id, spec: {}, action: theirs });
    await apply(gone, ON);
    await rowOf(gone.id);
    expect(await apply(taken, ON)).toMatchObject({ [gone.id]: 'removed', [taken.id]: 'foreign' });
    await expect(describeSchedule(gone.id)).rejects.toThrow(/not found/i);
    expect((await describeSchedule(taken.id)).action.workflowType).toBe('theirs');
    expect((await describeSchedule('theirs')).action.workflowType).toBe('theirs');
  });

  test('makes one again that was just removed', async () => {
    const sync = syncNamed('again');
    await apply(sync, ON);
    await client.schedule.getHandle(sync.id).delete();
    expect((await apply(sync, ON))[sync.id]).toBe('created');
  });
});

describe('a pause', () => {
  test('by settings names the variable, and ends when the sync is on again', async () => {
    const sync = syncNamed('off');
    await apply(sync, {});
    expect(await rowOf(sync.id)).toMatchObject({
      paused: true,
      note: expect.stringMatching(/^Off by settings: off is off.* Set FMS_VEHICLES_CSV_URL,/),
    });
    expect((await apply(sync, {}))[sync.id]).toBe('unchanged');
    await apply(sync, { ...ON, SYNC_ENABLED: 'false' });
    expect(await rowOf(sync.id)).toMatchObject({
      paused: true,
      note: 'Off by settings: SYNC_ENABLED is false',
    });
    expect((await apply(sync, ON))[sync.id]).toBe('updated');
    expect(await rowOf(sync.id)).toMatchObject({ paused: false, note: null });
    await apply(sync, {});
    expect((await rowOf(sync.id)).paused).toBe(true);
  });

  test('by a person survives every apply until that person resumes it', async () => {
    const sync = syncNamed('kept');
    await apply(sync, ON);
    await pauseSchedule(client, sync.id, 'moving house');
    for (const env of [ON, {}, { ...ON, SYNC_HOUR: '5' }, ON]) {
      await apply(sync, env);
      expect(await rowOf(sync.id)).toMatchObject({ paused: true, note: 'moving house' });
    }
    await resumeSchedule(client, sync.id);
    expect((await apply(sync, ON))[sync.id]).toBe('unchanged');
    expect((await rowOf(sync.id)).paused).toBe(false);
  });

  test.each(['a'.repeat(1_100), '€'.repeat(1_000)])(
    'with a reason longer than the server takes is shortened',
    async (reason) => {
      const sync = syncNamed('wordy');
      await apply(sync, ON);
      await pauseSchedule(client, sync.id, `Paused by ada: ${reason}`);
      const { state } = await describeSchedule(sync.id);
      expect(state).toMatchObject({
        paused: true,
        note: expect.stringMatching(/^Paused by ada: (a+|€+)…$/),
      });
      expect(Buffer.byteLength(String(state.note))).toBeGreaterThan(980);
    },
  );

  test("by a person survives also in the words of the settings' pause, and over one", async () => {
    const sync = syncNamed('worded');
    await apply(sync, {});
    await pauseSchedule(client, sync.id, 'Off by settings: or so I say');
    await apply(sync, ON);
    expect(await rowOf(sync.id)).toMatchObject({
      paused: true,
      note: expect.stringContaining('or so I say'),
    });
  });

  test('outside our commands is a pause by a person, too', async () => {
    const sync = syncNamed('outside');
    await apply(sync, ON);
    await client.schedule.getHandle(sync.id).pause();
    await apply(sync, { ...ON, SYNC_HOUR: '5' });
    expect((await rowOf(sync.id)).paused).toBe(true);
  });
});

describe('a trigger', () => {
  test('starts a run, and says so instead of starting another while that one is open', async () => {
    const sync = syncNamed('triggered');
    await apply(sync, {});
    expect(await rowOf(sync.id)).toMatchObject({ sync: 'triggered', lastStartedAt: null });
    const first = await triggerSchedule(client, sync.id);
    if (first.outcome !== 'started') throw new Error(`The trigger's outcome is ${first.outcome}`);
    expect(first.workflowId).toMatch(/^scheduled\/triggered-nightly-\d{4}-/);
    expect(await triggerSchedule(client, sync.id)).toEqual({ ...first, outcome: 'already-running' });
    expect((await rowOf(sync.id)).lastStartedAt).toMatch(/^\d{4}-.*Z$/);

    await client.workflow.getHandle(first.workflowId, first.runId).terminate();
    await vi.waitFor(async () => {
      expect((await describeSchedule(sync.id)).info.runningActions).toEqual([]);
    }, 10_000);
    const second = await triggerSchedule(client, sync.id);
    expect(second).toMatchObject({ outcome: 'started' });
    expect(second).not.toEqual(first);
  });
});

test('an unknown schedule is refused with those there are', async () => {
  const sync = syncNamed('known');
  await apply(sync, ON);
  await rowOf(sync.id);
  for (const work of [
    () => pauseSchedule(client, 'fleet', 'note'),
    () => resumeSchedule(client, 'fleet'),
    () => triggerSchedule(client, 'fleet'),
  ]) {
    await expect(work()).rejects.toThrow(UnknownScheduleError);
    await expect(work()).rejects.toThrow(/no schedule 'fleet'\. There are .*known-nightly, .*sweep-runs/);
  }
});

test('the list shows the next three times, by id', async () => {
  const sync = syncNamed('listed');
  await apply(sync, ON);
  const { nextTimes } = await rowOf(sync.id);
  expect(nextTimes).toHaveLength(3);
  expect(new Set(nextTimes).size).toBe(3);
  expect(nextTimes.map((time) => Date.parse(time) > Date.now())).toEqual([true, true, true]);
  const ids = (await listSchedules(client)).map(({ id }) => id);
  expect(ids).toEqual([...ids].sort());
  expect(ids).not.toContain('theirs');
});

function fullRuns(sync: SyncDefinition & { readonly id: string }): ReturnType<SyncDefinition['schedules']> {
  return [
    {
      id: sync.id,
      at: { cron: '*/5 * * * *' },
      timeZone: 'UTC',
      catchupWindowMs: 300_000,
      input: { sync: sync.name, full: true },
    },
  ];
}
