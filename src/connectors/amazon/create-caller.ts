import { createHash } from 'node:crypto';
import { request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { nameSource } from '../http/name-source.ts';
import { amazonFailure, networkFailure } from './amazon-failures.ts';
import type { AmazonCredentials } from './credentials.ts';
import type { LwaTokenCache } from './lwa-token-cache.ts';
import { type AmazonOperation, rateOf } from './rates.ts';
import { headerText, readBody } from './read-body.ts';
import { redact } from './redact.ts';
import { requestAccessToken } from './request-access-token.ts';
import { USER_AGENT } from './user-agent.ts';

export interface CallerOptions {
  readonly credentials: AmazonCredentials;
  readonly spApiBaseUrl: string;
  readonly lwaUrl: string;
  readonly http: Dispatcher;
  /** Waits for this operation's turn under the shared rate limit, or throws SourceThrottled. */
  readonly takeTurn: (operation: AmazonOperation, signal: AbortSignal) => Promise<void>;
  readonly tokens: LwaTokenCache;
  /** Told the calls per second that an answer says are allowed now; the seller's plan may differ from the default. */
  readonly learnRate?: ((operation: AmazonOperation, perSecond: number) => void) | undefined;
  /** For one request from its start to the last byte of its answer. */
  readonly timeoutMs: number;
}

interface AmazonRequest {
  readonly operation: AmazonOperation;
  /** With its leading slash, already encoded. */
  readonly path: string;
  /** Lists are joined with commas; undefined is left out. */
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** When it is not the caller's. */
  readonly timeoutMs?: number;
}

/**
 * Calls one operation and reads its answer. Safe to repeat.
 *
 * @throws SyncFailure with a `Source…` code; a message may quote Amazon, without any secret
 */
export type AmazonCall = <T>(call: AmazonRequest, answer: z.ZodType<T>, signal: AbortSignal) => Promise<T>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | undefined;
  readonly rateLimit: string | undefined;
  readonly accessToken: string;
}

const errorList = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().default('') })).min(1),
});

export function createCaller(options: CallerOptions): AmazonCall {
  const { credentials, http, lwaUrl, tokens } = options;
  const baseUrl = options.spApiBaseUrl.replace(/\/+$/, '');
  const tokenKey = createHash('sha256')
    .update(
      JSON.stringify([lwaUrl, credentials.client_id, credentials.client_secret, credentials.refresh_token]),
    )
    .digest('hex');

  return async (call, schema, signal) => {
    const source = nameSource(`Amazon ${call.operation}`, new URL(baseUrl));
    let answer = await send(source, call, signal);
    if (answer.status === 401 || answer.status === 403) {
      // A token can be withdrawn before its time; only a new one tells whether the seller still lets us in.
      tokens.forget(tokenKey, answer.accessToken);
      answer = await send(source, call, signal);
    }
    const { status, retryAfter, rateLimit } = answer;
    const refused = { source, operation: call.operation, said: quote(answer), retryAfter, rateLimit };
    if (status !== 200) throw amazonFailure({ ...refused, status });
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    if (answer.body === undefined) {
      throw new SyncFailure('SourceUnavailable', `${source}: the answer is not JSON. It is asked again.`);
    }
    // Some operations report a bad request under HTTP 200.
    if (refused.said !== '') throw amazonFailure({ ...refused, status: 400 });
    const at = parsed.error.issues[0]?.path.join('.');
    throw new SyncFailure(
      'SourceRefused',
      `${source}: the answer does not have the form of this API (at '${at}'). Check AMAZON_SPAPI_BASE_URL.`,
    );
  };

  async function send(source: string, call: AmazonRequest, signal: AbortSignal): Promise<Answer> {
    const { timeoutMs = options.timeoutMs } = call;
    const accessToken = await tokens.get(
      tokenKey,
      () => requestAccessToken({ credentials, lwaUrl, http, timeoutMs }),
      signal,
    );
    await options.takeTurn(call.operation, signal);
    try {
      const { statusCode, headers, body } = await request(`${baseUrl}${call.path}?${queryText(call.query)}`, {
        dispatcher: http,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: { 'x-amz-access-token': accessToken, 'user-agent': USER_AGENT, accept: 'application/json' },
      });
      const rateLimit = headerText(headers['x-amzn-ratelimit-limit']);
      const perSecond = rateOf(rateLimit);
      if (perSecond !== undefined) options.learnRate?.(call.operation, perSecond);
      return {
        status: statusCode,
        body: readBody(await body.text()),
        retryAfter: headerText(headers['retry-after']),
        rateLimit,
        accessToken,
      };
    } catch (error) {
      signal.throwIfAborted();
      throw networkFailure(source, error);
    }
  }

  function quote({ body, accessToken }: Answer): string {
    const [first] = errorList.safeParse(body).data?.errors ?? [];
    if (first === undefined) return '';
    const { client_secret, refresh_token } = credentials;
    return redact(`${first.code}: ${first.message}`, [accessToken, client_secret, refresh_token]);
  }
}

function queryText(query: AmazonRequest['query']): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) text.set(name, typeof value === 'string' ? value : value.join(','));
  }
  return text.toString();
}
