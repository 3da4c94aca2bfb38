import { SyncFailure } from '../../domain/failures.ts';
import { requestFailure, statusFailure } from '../http/source-failures.ts';
import { AMAZON_RATES, type AmazonOperation, rateOf } from './rates.ts';

export interface RefusedCall {
  /** How to name the operation and its host. */
  readonly source: string;
  readonly operation: AmazonOperation;
  readonly status: number;
  /** Amazon's own code and message, without secrets; '' when it gave none. */
  readonly said: string;
  readonly retryAfter: string | undefined;
  /** The header x-amzn-RateLimit-Limit: calls per second. */
  readonly rateLimit: string | undefined;
}

/** The failure that an HTTP status of the Selling Partner API stands for; its error codes vary too much to tell. */
export function amazonFailure(call: RefusedCall): SyncFailure {
  const { source, operation, status, said, retryAfter } = call;
  const answer = `${source}: answered ${status}`;
  const quoted = said === '' ? '' : ` Amazon says: ${said}`;
  switch (status) {
    case 401:
    case 403:
      return new SyncFailure(
        'SourceUnauthorized',
        `${answer}: the access token is good, but this call is not allowed. Check that the seller still authorizes ` +
          `the app, that the app has the role for ${operation}, and the region and marketplace_ids.${quoted}`,
      );
    case 404:
      return new SyncFailure(
        'SourceNotFound',
        `${answer}. Check the seller_id, the marketplace_ids and AMAZON_SPAPI_BASE_URL.${quoted}`,
      );
    case 408:
      return new SyncFailure('SourceUnavailable', `${answer}. It is tried again.${quoted}`);
    case 413:
      return new SyncFailure('SourceRefused', `${answer}: the request is too large.${quoted}`);
    case 429:
      return new SyncFailure(
        'SourceThrottled',
        `${answer}: the rate limit is reached. It is asked again later.`,
        {
          retryAfterMs: statusFailure(source, status, retryAfter).retryAfterMs ?? betweenCallsMs(call),
        },
      );
  }
  if (status >= 500) return statusFailure(source, status, retryAfter);
  return new SyncFailure(
    'SourceRefused',
    `${answer}. Check the seller_id and the marketplace_ids of this credential.${quoted}`,
  );
}

/** How long until the next call is allowed, when Amazon does not say. */
function betweenCallsMs({ operation, rateLimit }: RefusedCall): number {
  const perSecond = rateOf(rateLimit) ?? AMAZON_RATES[operation].perSecond;
  return Math.ceil(1000 / perSecond);
}

/** The failure of a request without a complete answer. The cause stays behind: a parser's error quotes the answer. */
export function networkFailure(source: string, error: unknown): SyncFailure {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new SyncFailure('SourceUnavailable', `${source}: no complete answer in time. It is tried again.`);
  }
  const { code, message } = requestFailure(source, error);
  return new SyncFailure(code, message);
}
