import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ClientStatus, ForceRequest, Platform, RequestAnswer } from '../src/domain/clients.ts';

/** Syncs now; queued and coalesced while a run is open, never lost. Sent by the plain Temporal CLI too. */
export const forceSyncSignal = defineSignal<[ForceRequest?]>('forceSync');

/** As `forceSync`, with an answer. Refused with the reason while the client is paused. */
export const requestSyncUpdate = defineUpdate<RequestAnswer, [ForceRequest?]>('requestSync');

export const pauseSignal = defineSignal<[{ readonly reason?: string }?]>('pause');
export const resumeSignal = defineSignal('resume');
export const setFrequencySignal =
  defineSignal<[{ readonly hours: number; readonly platform?: Platform }]>('setFrequency');

/** Reads the client again: its connections have changed, or it was removed. */
export const reloadSignal = defineSignal('reload');

export const statusQuery = defineQuery<ClientStatus>('status');
