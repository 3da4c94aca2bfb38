import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision } from '../src/domain/contracts.ts';

/** Approves or rejects a held run. Answers at once; a second decision is refused. */
export const decideUpdate = defineUpdate<void, [Decision]>('decide');

/** Tells a held run that a later run has merged one of its tables. */
export const supersededSignal = defineSignal<[{ readonly table: string; readonly by: string }]>('superseded');

/** Tells the sender of notifications that there is another one. */
export const wakeSignal = defineSignal('wake');
