import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
} from '@temporalio/client';
import type { Environment } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { sealedWithKey, sealingKeyOf, visibly } from './payload-codec.ts';
import { isUpToDate, wantedSchedules, type WantedSchedule } from './schedule-options.ts';

/** How the note of a schedule begins that settings have paused; nobody's own pause begins so. */
export const OFF_PREFIX = 'Off by settings: ';

/** Marks the schedules we made. Temporal keeps it for the life of a schedule, longer than any key. */
const MADE_BY = 'durasync';

export interface ApplySchedulesOptions {
  readonly client: Client;
  readonly syncs: readonly SyncDefinition[];
  readonly env: Environment;
  /** Told in a sentence what was changed. */
  readonly log?: (message: string) => void;
}

export interface AppliedSchedule {
  readonly id: string;
  /** `foreign`: somebody else made one with this id, so it was left alone. */
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'removed' | 'foreign';
}

/**
 * Makes the server's schedules those of the definitions, and removes ours that no definition names any more. A
 * sync that is off has its schedules paused, and resumed once it is on again; a schedule that a person paused
 * stays paused. Safe to repeat, also at the same time.
 *
 * @throws ConfigurationError, CronTextError
 */
export async function applySchedules(options: ApplySchedulesOptions): Promise<AppliedSchedule[]> {
  const { client, syncs, env, log } = options;
  const wanted = wantedSchedules(syncs, env, new Date());
  const keyId = await sealingKeyOf(client);
  const applied = await Promise.all(wanted.map((schedule) => applyOne(client, schedule, keyId)));
  const removed = await removeOthers(client, new Set(applied.map(({ id }) => id)));
  const all = [...applied, ...removed];
  for (const { id, outcome } of all) {
    if (outcome !== 'unchanged') log?.(`Schedule ${id}: ${SENTENCES[outcome]}`);
  }
  return all;
}

const SENTENCES = {
  created: 'created.',
  updated: 'updated.',
  removed: 'removed, because no sync has it any more.',
  foreign:
    'left alone, because something other than Durasync made it. Delete it and apply again to let Durasync make its own.',
} as const satisfies Record<Exclude<AppliedSchedule['outcome'], 'unchanged'>, string>;

/** The ids of the schedules we made. One made or removed a moment ago may be missing or still there. */
export async function listOurIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId, memo } of client.schedule.list()) if (isOurs(memo)) ids.push(scheduleId);
  return ids.sort();
}

const isOurs = (memo: ScheduleDescription['memo']): boolean => memo?.['madeBy'] === MADE_BY;

/** The answer, or null when the schedule is not there. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** @param keyId what the arguments of its runs have to be sealed with, if they are */
async function applyOne(
  client: Client,
  wanted: WantedSchedule,
  keyId: string | undefined,
): Promise<AppliedSchedule> {
  const { options } = wanted;
  const id = options.scheduleId;
  const handle = client.schedule.getHandle(id);
  const current = await unlessMissing(handle.describe());
  if (!current) {
    const state = stateAfter({ paused: false }, wanted);
    try {
      await client.schedule.create({ ...options, memo: { madeBy: visibly(MADE_BY) }, state });
    } catch (error) {
      // Another process made it meanwhile.
      if (error instanceof ScheduleAlreadyRunning) return applyOne(client, wanted, keyId);
      throw error;
    }
    return { id, outcome: 'created' };
  }
  if (!isOurs(current.memo)) return { id, outcome: 'foreign' };
  const state = stateAfter(current.state, wanted);
  const samePause = state.paused === current.state.paused && state.note === current.state.note;
  if (samePause && sealingKeyIs(current, keyId) && isUpToDate(current, wanted))
    return { id, outcome: 'unchanged' };
  // The state is read again just before it is written, so that a pause made meanwhile is kept.
  await handle.update((latest) => ({ ...options, state: stateAfter(latest.state, wanted) }));
  return { id, outcome: 'updated' };
}

/** Whether every argument is sealed with this key, or with none. */
function sealingKeyIs({ raw }: ScheduleDescription, keyId: string | undefined): boolean {
  const payloads = raw.schedule?.action?.startWorkflow?.input?.payloads ?? [];
  return payloads.every((payload) => sealedWithKey(payload) === keyId);
}

type State = ScheduleDescription['state'];

function stateAfter(state: State, { off }: WantedSchedule): State {
  const pausedBySettings = state.paused && (state.note ?? '').startsWith(OFF_PREFIX);
  if (state.paused && !pausedBySettings) return state;
  if (off !== undefined) return { ...state, paused: true, note: OFF_PREFIX + off };
  return pausedBySettings ? { ...state, paused: false, note: '' } : state;
}

async function removeOthers(client: Client, keep: ReadonlySet<string>): Promise<AppliedSchedule[]> {
  const ids = (await listOurIds(client)).filter((id) => !keep.has(id));
  await Promise.all(ids.map((id) => unlessMissing(client.schedule.getHandle(id).delete())));
  return ids.map((id) => ({ id, outcome: 'removed' }));
}
