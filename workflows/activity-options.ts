import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';

/** A run that is stopped ends its row when its steps have ended, so that none of them writes afterwards. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/**
 * For steps that read or write a few rows. They beat too, so a dead worker costs ten seconds and not the minute.
 * PostgreSQL may be away for as long as the run lasts.
 */
export const QUICK: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  cancellationType,
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 s' },
};

/** For steps that ask an outside system one short question. What ends the retries is the kind of failure. */
export const PROBE: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  cancellationType,
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '30 s', maximumAttempts: 1_000 },
};

/**
 * For steps that move whole tables. They beat every two seconds, so a dead worker is noticed within ten. What
 * ends the retries is the kind of failure (domain/failures); the limit here only stops a step that kills its
 * worker each time.
 */
export const HEAVY: ActivityOptions = {
  startToCloseTimeout: '2 hours',
  cancellationType,
  heartbeatTimeout: '10 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '30 s', maximumAttempts: 1_000 },
};

/** For steps that go through the whole database, such as a backup. */
export const CARE: ActivityOptions = { ...HEAVY, startToCloseTimeout: '12 hours' };
