import { readCredential } from '../db/clients.ts';
import { previewUndo } from '../db/undo.ts';
import type { RunId } from '../domain/ids.ts';
import type { UndoPreview } from '../domain/undo.ts';
import { readSettings } from '../settings.ts';
import { tablesOf } from '../syncs/live-table-of.ts';
import { type StartedRun, startUndo } from '../temporal/runs.ts';
import { pauseSchedule } from '../temporal/schedules.ts';
import { type Changer, pauseClient, record } from './client-changes.ts';
import type { Session } from './session.ts';

/** What undoing a run would do, and what would apply its source again after it. */
export interface UndoOffer extends UndoPreview {
  /** The schedules whose next run applies the source again. */
  readonly schedules: readonly string[];
  /** The client whose next run does, for a run of one of its connections. */
  readonly client_id: string | null;
}

/** A run that can't be undone; the message says why, and the offer lists the rows in the way. */
export class UndoRefusedError extends Error {
  override readonly name = 'UndoRefusedError';
  readonly offer: UndoOffer;

  constructor(offer: UndoOffer) {
    super(offer.refusal ?? '');
    this.offer = offer;
  }
}

/** What undoing a run would do, or why it can't be done; undefined when there is no such run. Changes nothing. */
export async function readUndoOffer(
  { database, syncs, targets }: Session,
  of: RunId,
): Promise<UndoOffer | undefined> {
  const preview = await previewUndo(database, of, tablesOf(syncs));
  if (!preview) return undefined;
  const sync = syncs.find(({ name }) => name === preview.sync);
  const schedules = sync?.schedules(readSettings(sync.settings, targets.env)).map(({ id }) => id) ?? [];
  return { ...preview, schedules, client_id: await clientOf(database, of) };
}

async function clientOf({ db }: Session['database'], of: RunId): Promise<string | null> {
  const run = await db
    .selectFrom('durasync.sync_runs')
    .select(['sync', 'scope'])
    .where('run_id', '=', of)
    .executeTakeFirst();
  if (run?.sync !== 'commerce' || !run.scope) return null;
  return (await readCredential(db, run.scope)).client_id;
}

export interface UndoRequest {
  readonly reason?: string;
  /** Starts no further run of the sync until somebody resumes it. */
  readonly pause: boolean;
}

/**
 * Pauses what would apply the source again, when asked to, then starts undoing a run, or finds the undo that is under
 * way.
 *
 * @throws UndoRefusedError before anything is paused or started
 */
export async function requestUndo(
  session: Session,
  by: Changer,
  offer: UndoOffer,
  { reason, pause }: UndoRequest,
): Promise<StartedRun> {
  if (offer.refusal !== null) throw new UndoRefusedError(offer);
  const of = offer.run_id;
  if (pause) await pauseWhatFollows(session, by, offer);
  const started = await startUndo(session.client, { of, reason, triggeredBy: by.actor });
  await record(session, by, 'start undo', of, { reason, runId: started.runId, paused: pause });
  return started;
}

async function pauseWhatFollows(session: Session, by: Changer, offer: UndoOffer): Promise<void> {
  const why = `undo of run ${offer.run_id}`;
  for (const id of offer.schedules) {
    await pauseSchedule(session.client, id, `Paused by ${by.actor}: ${why}`);
    await record(session, by, 'pause schedule', id, { reason: why });
  }
  if (offer.client_id !== null) await pauseClient(session, by, offer.client_id, why);
}
