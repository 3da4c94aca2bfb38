import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { HTTPException } from 'hono/http-exception';
import pg from 'pg';
import { SyncFailure } from '../domain/failures.ts';
import { UnknownClientError } from '../installation/client-changes.ts';
import { ClientPausedError } from '../installation/force-clients.ts';
import { ClientBusyError } from '../installation/purge-client.ts';
import { NotHeldError } from '../temporal/runs.ts';
import { UnknownScheduleError } from '../temporal/schedules.ts';
import { type ProblemCode, ProblemError } from './problems.ts';

/** Turns whatever a route threw into a problem. What nobody expected becomes a sentence without its message. */
export function toProblem(error: unknown, requestId: string): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof HTTPException) return new ProblemError(codeOf(error.status), error.message);
  if (error instanceof NotHeldError) return new ProblemError('not-held', error.message);
  if (error instanceof UnknownScheduleError) return new ProblemError('not-found', error.message);
  if (error instanceof UnknownClientError) return new ProblemError('not-found', error.message);
  if (error instanceof ClientPausedError) return new ProblemError('client-paused', error.message);
  if (error instanceof ClientBusyError) return new ProblemError('client-busy', error.message);
  if (error instanceof SyncFailure && error.code === 'InvalidInput') {
    return new ProblemError('invalid-request', error.message);
  }
  if (error instanceof SyncFailure && error.code.startsWith('BackupPlace')) {
    return new ProblemError('unavailable', error.message, { unavailable: ['backups'] });
  }
  if (error instanceof WorkflowNotFoundError) {
    return new ProblemError('not-running', 'Temporal has no such workflow under way any more.');
  }
  if (error instanceof pg.DatabaseError && NOT_TEXT.has(error.code ?? '')) {
    return new ProblemError(
      'invalid-request',
      'A text in the request holds a character that cannot be kept (NUL).',
    );
  }
  if (isTemporalSilent(error)) {
    return new ProblemError('unavailable', 'Temporal does not answer, or no worker does. See /readyz.', {
      unavailable: ['temporal'],
    });
  }
  if (isDatabaseSilent(error)) {
    return new ProblemError('unavailable', 'PostgreSQL does not answer. See /readyz.', {
      unavailable: ['postgresql'],
    });
  }
  return new ProblemError('unexpected', `The log says what, under the request id ${requestId}.`, {
    request_id: requestId,
  });
}

function codeOf(status: number): ProblemCode {
  switch (status) {
    case 413:
      return 'too-large';
    case 415:
      return 'wrong-media-type';
    default:
      return status < 500 ? 'invalid-request' : 'unexpected';
  }
}

/** SQLSTATEs of a NUL character in a text and in JSON. */
const NOT_TEXT = new Set(['22021', '22P05']);

/** Cancelled, deadline exceeded, permission denied, resource exhausted, unavailable, unauthenticated. */
const SILENT_GRPC_CODES = new Set([1, 4, 7, 8, 14, 16]);

function isTemporalSilent(error: unknown): boolean {
  if (isGrpcServiceError(error)) return SILENT_GRPC_CODES.has(error.code);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (!(error instanceof Error)) return false;
  return error.cause !== undefined && isTemporalSilent(error.cause);
}

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
/** Classes of SQLSTATE: connection trouble (08), resources (53), operator intervention such as a restart (57). */
const SILENT_SQL_STATES = /^(08|53|57)/;
const LOST = /Connection terminated|timeout exceeded when trying to connect|not queryable/i;

function isDatabaseSilent(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return SILENT_SQL_STATES.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  return NETWORK.has('code' in error ? String(error.code) : '') || LOST.test(error.message);
}
