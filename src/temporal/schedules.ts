import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ScheduleDescription, ScheduleOverlapPolicy } from '@temporalio/client';
import { listOurIds, OFF_PREFIX, unlessMissing } from './apply-schedules.ts';
import { SYNC_NAME } from './schedule-options.ts';

export { applySchedules } from './apply-schedules.ts';

const NOTE_BYTES = 1_000;

export interface ScheduleRow {
  readonly id: string;
  /** Null for a schedule that cares for all syncs. */
  readonly sync: string | null;
  /** For people: 'daily 02:00 America/Los_Angeles', or a cron text and its zone. */
  readonly spec: string;
  readonly paused: boolean;
  readonly note: string | null;
  /** The next three runs (ISO); for a paused schedule, when they would be. */
  readonly nextTimes: readonly string[];
  /** When it last started a run (ISO). */
  readonly lastStartedAt: string | null;
}

/** There is no schedule with this id; the message lists those there are. */
export class UnknownScheduleError extends Error {
  override readonly name = 'UnknownScheduleError';
}

/** What a trigger led to. */
export type Triggered =
  | { readonly outcome: 'started'; readonly workflowId: string; readonly runId: string }
  /** The schedule's earlier run is still open, so no other was started. */
  | { readonly outcome: 'already-running'; readonly workflowId: string; readonly runId: string }
  /** The server took the request but has not acted on it yet. */
  | { readonly outcome: 'requested' };

const NEXT_TIMES = 3;
const TRIGGER_MS = 10_000;
const POLL_MS = 50;

/** Our schedules as the server has them, by id. */
export async function listSchedules(client: Client): Promise<ScheduleRow[]> {
  const ids = await listOurIds(client);
  const found = await Promise.all(ids.map((id) => unlessMissing(client.schedule.getHandle(id).describe())));
  return found.flatMap((description) => (description ? [rowOf(description)] : []));
}

function rowOf(description: ScheduleDescription): ScheduleRow {
  const { scheduleId, typedSearchAttributes, spec, state, info } = description;
  const everyYear = spec.calendars?.find(({ year }) => year.length === 0);
  return {
    id: scheduleId,
    sync: typedSearchAttributes.get(SYNC_NAME) ?? null,
    spec: everyYear?.comment || 'changed outside Durasync',
    paused: state.paused,
    note: state.note || null,
    nextTimes: info.nextActionTimes.slice(0, NEXT_TIMES).map((time) => time.toISOString()),
    lastStartedAt: info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
  };
}

/**
 * Pauses a schedule in a person's name: only `resumeSchedule` ends that, never applying the definitions.
 *
 * @throws UnknownScheduleError
 */
export async function pauseSchedule(client: Client, id: string, note: string): Promise<void> {
  const own = shortened(note.startsWith(OFF_PREFIX) ? `Paused: ${note}` : note);
  await known(client, id, client.schedule.getHandle(id).pause(own || 'Paused'));
}

/** The server takes notes of 1,000 bytes. The audit log has the whole reason. */
const shortened = (note: string): string =>
  Buffer.byteLength(note) <= NOTE_BYTES
    ? note
    : `${Buffer.from(note)
        .toString('utf8', 0, NOTE_BYTES - 6)
        .replace(/\uFFFD$/, '')}…`;

/**
 * Lets a paused schedule run again. One whose sync is off is paused again when the definitions are next applied.
 *
 * @throws UnknownScheduleError
 */
export async function resumeSchedule(client: Client, id: string): Promise<void> {
  await known(client, id, client.schedule.getHandle(id).unpause('Resumed'));
}

/**
 * Starts a schedule's run now, also when it is paused, unless its earlier run is still open. Not safe to repeat:
 * each call may start a run.
 *
 * @throws UnknownScheduleError
 */
export async function triggerSchedule(client: Client, id: string): Promise<Triggered> {
  const handle = client.schedule.getHandle(id);
  const { info: before } = await known(client, id, handle.describe());
  await known(client, id, handle.trigger(ScheduleOverlapPolicy.SKIP));
  for (const giveUpAt = Date.now() + TRIGGER_MS; Date.now() < giveUpAt; await sleep(POLL_MS)) {
    const { info } = await known(client, id, handle.describe());
    const last = info.recentActions.at(-1)?.action.workflow;
    if (!last) continue;
    const run = { workflowId: last.workflowId, runId: last.firstExecutionRunId };
    if (info.numActionsTaken > before.numActionsTaken) return { outcome: 'started', ...run };
    if (info.numActionsSkippedOverlap > before.numActionsSkippedOverlap) {
      return { outcome: 'already-running', ...run };
    }
  }
  return { outcome: 'requested' };
}

async function known<T>(client: Client, id: string, call: Promise<T>): Promise<T> {
  const answer = await unlessMissing(call.then((value) => ({ value })));
  if (answer) return answer.value;
  const ids = await listOurIds(client);
  const there =
    ids.length > 0 ? `There are ${ids.join(', ')}.` : 'There are none: apply the schedules first.';
  throw new UnknownScheduleError(`There is no schedule '${id}'. ${there}`);
}
