import { STATUS_CODES } from 'node:http';
import { SyncFailure } from '../../domain/failures.ts';
import { ForbiddenAddressError } from './address-guard.ts';

/**
 * The failure an HTTP status stands for; call it for every status that is not a usable answer or a redirect.
 *
 * @param source how to name the source, see `nameSource`
 * @param retryAfter the Retry-After header: seconds or an HTTP date
 */
export function statusFailure(source: string, status: number, retryAfter: string | undefined): SyncFailure {
  const answer = `${source}: answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  const retryAfterMs = waitMs(retryAfter);
  switch (status) {
    case 401:
    case 403:
    case 407:
      return new SyncFailure('SourceUnauthorized', `${answer}. Check the credentials in this setting.`);
    case 404:
    case 410:
      return new SyncFailure('SourceNotFound', `${answer}. Check the address in this setting.`);
    case 429:
      return new SyncFailure('SourceThrottled', `${answer}. It is asked again later.`, { retryAfterMs });
    case 202:
      return new SyncFailure('SourceUnavailable', `${answer}: the file is not ready yet.`, { retryAfterMs });
    case 206:
      return new SyncFailure('SourceTruncated', `${answer}, although the whole file was asked for.`);
  }
  if (status >= 500) {
    return new SyncFailure('SourceUnavailable', `${answer}. It is tried again.`, { retryAfterMs });
  }
  return new SyncFailure('SourceRefused', `${answer}. Open the address by hand to see why.`);
}

/** The failure behind an error thrown before the answer began: name look-up, connection, TLS, headers. */
export function requestFailure(source: string, error: unknown): SyncFailure {
  if (error instanceof ForbiddenAddressError) {
    return new SyncFailure('SourceRefused', `${source}: ${error.message}.`);
  }
  return new SyncFailure('SourceUnavailable', `${source}: ${describe(error)}. It is tried again.`, {
    cause: error,
  });
}

/** The failure behind an error thrown while the body was read: it stalled, or it ended before its end. */
export function bodyFailure(source: string, error: unknown): SyncFailure {
  if (codeOf(error) === 'UND_ERR_BODY_TIMEOUT') return requestFailure(source, error);
  return new SyncFailure(
    'SourceTruncated',
    `${source}: the file was cut off while it was read. It is fetched again.`,
    { cause: error },
  );
}

function describe(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name could not be found';
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection was closed before an answer';
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no connection in time';
    case 'UND_ERR_HEADERS_TIMEOUT':
      return 'no answer in time';
    case 'UND_ERR_BODY_TIMEOUT':
      return 'the file stopped arriving';
    case undefined:
      return 'could not be reached';
    default:
      return `could not be reached (${code})`;
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function waitMs(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined || retryAfter.trim() === '') return undefined;
  const seconds = Number(retryAfter);
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
