import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BackfillStatus } from '../src/domain/backfills.ts';
import type { Decision } from '../src/domain/contracts.ts';

/** Approves or rejects a held run. Answers at once; a second decision is refused. */
export const decideUpdate = defineUpdate<void, [Decision]>('decide');

/** Tells a held run that a later run has merged one of its tables. */
export const supersededSignal = defineSignal<[{ readonly table: string; readonly by: string }]>('superseded');

/** How far a backfill is. It is paused and resumed with the same signals as a client. */
export const backfillStatusQuery = defineQuery<BackfillStatus>('status');

/** Tells the sender of notifications that there is another one. */
export const wakeSignal = defineSignal('wake');
