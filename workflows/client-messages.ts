import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ClientStatus, ForceRequest, Platform, RequestAnswer } from '../src/domain/clients.ts';

/** Whatever JSON the plain Temporal CLI sent, or nothing. What it should hold stands beside each message. */
type Sent = unknown;

/** A `ForceRequest`: syncs now; queued and coalesced while a run is open, never lost. */
export const forceSyncSignal = defineSignal<[Sent]>('forceSync');

/** As `forceSync`, with an answer. Refused with the reason while the client is paused. */
export const requestSyncUpdate = defineUpdate<RequestAnswer, [Sent]>('requestSync');

/** `{ reason }` */
export const pauseSignal = defineSignal<[Sent]>('pause');
export const resumeSignal = defineSignal('resume');
/** `{ hours, platform? }` */
export const setFrequencySignal = defineSignal<[Sent]>('setFrequency');

/** Reads the client again: its connections have changed, or it was removed. */
export const reloadSignal = defineSignal('reload');

export const statusQuery = defineQuery<ClientStatus>('status');

// A wrong message must not stop a workflow that lives for years, so nothing here throws.

export function readForceRequest(sent: Sent): Required<Pick<ForceRequest, 'requestedBy'>> & ForceRequest {
  const { platform, requestedBy } = fieldsOf(sent);
  return {
    platform: (platform || undefined) as Platform | undefined,
    requestedBy: textOr(requestedBy, 'signal'),
  };
}

export const readPauseReason = (sent: Sent): string => textOr(fieldsOf(sent)['reason'], 'paused');

/** A frequency that can't be kept is refused by the activity that stores it. */
export function readFrequency(sent: Sent): { readonly hours: number; readonly platform?: Platform } {
  const { hours, platform } = fieldsOf(sent);
  return { hours: Number(hours), platform: (platform || undefined) as Platform | undefined };
}

const fieldsOf = (sent: Sent): Readonly<Record<string, unknown>> => Object(sent);

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value : otherwise;
