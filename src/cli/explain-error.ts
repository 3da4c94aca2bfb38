import { isGrpcServiceError } from '@temporalio/client';
import { SyncFailure } from '../domain/failures.ts';
import { EXIT } from './exit-codes.ts';

/** What went wrong, in one message without a stack. */
export function errorText(error: unknown): string {
  const failure = rootFailure(error);
  if (isGrpcServiceError(failure)) {
    return `Temporal did not answer: ${failure.details}. Is it running? See: npx durasync status`;
  }
  if (isUnreachable(failure)) {
    return `PostgreSQL did not answer: ${failure.message}. Is it running? Check DATABASE_URL, or see: npx durasync status`;
  }
  if (failure instanceof AggregateError) return failure.errors.map(errorText).join('\n');
  return failure instanceof Error ? failure.message : String(failure);
}

/** Of all connections of a command only those to PostgreSQL throw such errors themselves. */
const isUnreachable = (failure: unknown): failure is Error =>
  failure instanceof Error && 'syscall' in failure && /^(connect|getaddrinfo)$/.test(String(failure.syscall));

/** The activity's own sentence, below the wrapping of the workflow that failed with it. */
function rootFailure(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && /^(Workflow|Activity|ChildWorkflow)/.test(inner.name) && inner.cause) {
    inner = inner.cause;
  }
  return inner;
}

/** Errors and failures that say: the command or a setting has to change. */
const WRONG_USE = new Set([
  'BackfillError',
  'BackupPlaceRefused',
  'ClientPausedError',
  'UsageError',
  'ConfigurationError',
  'CronTextError',
  'HomeError',
  'NotHeldError',
  'NotRunningError',
  'PortTakenError',
  'PostgresUnavailableError',
  'RestoreRefused',
  'TemporalCliError',
  'SealedSecretError',
  'UnknownClientError',
  'UnknownLeadError',
  'UnknownScheduleError',
  'UnknownSync',
  'SyncOff',
  'InvalidInput',
  'SourceNotConfigured',
]);

/** The exit code that tells wrong use from a failure. */
export function exitCodeFor(error: unknown): number {
  const failure = rootFailure(error);
  if (!(failure instanceof Error)) return EXIT.failed;
  const kind =
    failure instanceof SyncFailure ? failure.code : 'type' in failure ? String(failure.type) : failure.name;
  return WRONG_USE.has(kind) ? EXIT.usage : EXIT.failed;
}
