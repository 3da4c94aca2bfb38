import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import pg from 'pg';
import { ConfigurationError } from '../src/settings.ts';
import { ATTEMPTS_MAX, FAILURES, type FailureCode, SyncFailure } from '../src/domain/failures.ts';

/**
 * Turns whatever an activity threw into what Temporal retries or not, by the table in domain/failures.
 * Cancellation passes through. The cause is left behind: it may hold row data or addresses.
 *
 * @param attempt the attempt that failed, counted from 1
 */
export function toFailure(error: unknown, attempt: number): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const failure = error instanceof SyncFailure ? error : fromUnknown(error);
  return ApplicationFailure.create({
    type: failure.code,
    message: failure.message,
    nonRetryable: isFinal(failure.code, attempt),
    nextRetryDelay: failure.retryAfterMs,
  });
}

/** A failure that nobody foresaw: a bug. */
export const isUnexpected = (failure: Error): boolean =>
  failure instanceof ApplicationFailure && failure.type === ('Unexpected' satisfies FailureCode);

function isFinal(code: FailureCode, attempt: number): boolean {
  const retry = FAILURES[code];
  switch (retry) {
    case 'never':
      return true;
    case 'few':
    case 'asked':
      return attempt >= ATTEMPTS_MAX;
    case 'always':
      return false;
  }
}

function fromUnknown(error: unknown): SyncFailure {
  if (error instanceof ConfigurationError) return new SyncFailure('InvalidInput', error.message);
  const code = databaseCode(error);
  if (code === null) return new SyncFailure('Unexpected', message(error));
  if (code === 'DatabaseUnavailable') {
    return new SyncFailure(code, `PostgreSQL is not answering (${message(error)}). The step is tried again.`);
  }
  // What follows the colon may quote a cell.
  const text = message(error).replace(/: ".*$/s, '');
  return new SyncFailure(code, `PostgreSQL refused the step: ${text}${where(error)}`);
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * Classes of SQLSTATE that pass by themselves: connection trouble (08), transaction rollback (40),
 * resources (53), operator intervention such as a restart (57), and a lock that was not to be had (55).
 */
const PASSING = /^(08|40|53|55|57)/;

function databaseCode(error: unknown): FailureCode | null {
  if (error instanceof pg.DatabaseError) {
    return PASSING.test(error.code ?? '') ? 'DatabaseUnavailable' : 'DatabaseRefused';
  }
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? String(error.code) : '';
  const lost =
    /Connection terminated|timeout exceeded when trying to connect|not queryable|client has encountered/i;
  return NETWORK.has(code) || lost.test(error.message) ? 'DatabaseUnavailable' : null;
}

/** Where in a COPY it went wrong: the line and column, without the value behind them. */
function where(error: unknown): string {
  const at =
    error instanceof pg.DatabaseError
      ? /COPY [^,]+, line \d+(, column [^:]+)?/.exec(error.where ?? '')
      : null;
  return at ? ` (${at[0]})` : '';
}
