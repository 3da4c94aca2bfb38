import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { SyncFailure } from '../../domain/failures.ts';
import { bodyFailure, requestFailure } from '../http/source-failures.ts';
import { costOf, dataOf, parseBody } from './read-answer.ts';
import type { Throttle } from './throttle.ts';

export interface QuerySender {
  readonly url: URL;
  /** How errors name the shop. */
  readonly source: string;
  readonly accessToken: string;
  readonly http: Dispatcher;
  /** For a whole answer, its last byte included. */
  readonly timeoutMs: number;
  readonly throttle: Throttle;
}

export interface ShopifyQuery {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** How long it may wait for the bucket to fill. */
  readonly waitMaxMs: number;
}

/**
 * Sends a query when the shop's bucket can pay for it, and gives the data of a complete answer. Safe to repeat.
 *
 * @throws SyncFailure with a `Source…` code, or the signal's reason
 */
export async function sendQuery(
  sender: QuerySender,
  { query, variables, waitMaxMs }: ShopifyQuery,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  await sender.throttle.waitFor(query, waitMaxMs, signal);
  const answer = await post(sender, JSON.stringify({ query, variables }), signal);
  const body = parseBody(answer.text);
  const cost = costOf(body);
  if (cost !== undefined) sender.throttle.learn(query, cost);
  return dataOf({ ...answer, source: sender.source, accessToken: sender.accessToken }, body);
}

async function post(sender: QuerySender, body: string, signal: AbortSignal) {
  const { url, source, accessToken, http, timeoutMs } = sender;
  const timeout = AbortSignal.timeout(timeoutMs);
  const failed = (toFailure: typeof requestFailure) => (error: unknown) => {
    signal.throwIfAborted();
    if (!timeout.aborted) throw toFailure(source, error);
    const seconds = timeoutMs / 1000;
    throw new SyncFailure(
      'SourceUnavailable',
      `${source}: no answer within ${seconds} s. It is tried again.`,
    );
  };
  const response = await request(url, {
    dispatcher: http,
    method: 'POST',
    signal: AbortSignal.any([signal, timeout]),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'x-shopify-access-token': accessToken,
    },
    body,
  }).catch(failed(requestFailure));
  const text = await response.body.text().catch(failed(bodyFailure));
  const retryAfter = response.headers['retry-after'];
  return {
    status: response.statusCode,
    retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    text,
  };
}
