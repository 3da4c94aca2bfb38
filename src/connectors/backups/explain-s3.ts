import { SyncFailure } from '../../domain/failures.ts';
import type { BackupSettings } from './backup-settings.ts';

const NETWORK = /^(ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH)/;
const KEYS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'InvalidToken',
  'ExpiredToken',
  // Of versitygw.
  'XAdminUserNotFound',
]);
const REGION = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** What an error of the SDK means and what to do; never names a key. */
export function explainS3(settings: BackupSettings, bucket: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SyncFailure) return error;
  const at = settings.AWS_ENDPOINT_URL ? new URL(settings.AWS_ENDPOINT_URL).origin : 'Amazon S3';
  const status = statusOf(error);
  const refused = (reason: string): SyncFailure =>
    new SyncFailure('BackupPlaceRefused', reason, { cause: error });
  if (error.name === 'NoSuchBucket') {
    return refused(
      `There is no bucket '${bucket}' at ${at}. Make it, or correct AWS_S3_BACKUP_BUCKET (or AWS_ENDPOINT_URL).`,
    );
  }
  if (error.name === 'NoSuchKey') {
    return refused(`A file of a backup in the bucket '${bucket}' at ${at} is missing. Was it removed?`);
  }
  if (error.name === 'CredentialsProviderError') {
    return refused(
      `There are no keys for ${at}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.`,
    );
  }
  if (KEYS.has(error.name) || status === 401 || status === 403) {
    return refused(
      `${at} refused the keys for the bucket '${bucket}' (${error.name}). Check AWS_ACCESS_KEY_ID and ` +
        'AWS_SECRET_ACCESS_KEY, and that they may list, read, write and delete there.',
    );
  }
  if (REGION.has(error.name) || status === 301) {
    return refused(`The bucket '${bucket}' is in another region than AWS_REGION says (${error.name}).`);
  }
  const code = 'code' in error ? String(error.code) : '';
  if (NETWORK.test(code) || NETWORK.test(error.name) || error.name === 'TimeoutError' || status >= 500) {
    return new SyncFailure(
      'BackupPlaceUnavailable',
      `${at} does not answer for the bucket '${bucket}' (${code || error.name}). It is tried again; check AWS_ENDPOINT_URL.`,
      { cause: error },
    );
  }
  return error;
}

function statusOf(error: Error): number {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? Number(metadata.httpStatusCode)
    : 0;
}
