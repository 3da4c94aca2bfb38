import { request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { nameSource } from '../http/name-source.ts';
import { statusFailure } from '../http/source-failures.ts';
import { networkFailure } from './amazon-failures.ts';
import type { AmazonCredentials } from './credentials.ts';
import type { LwaToken } from './lwa-token-cache.ts';
import { headerText, readBody } from './read-body.ts';
import { USER_AGENT } from './user-agent.ts';

export interface AccessTokenRequest {
  readonly credentials: AmazonCredentials;
  readonly lwaUrl: string;
  readonly http: Dispatcher;
  readonly timeoutMs: number;
}

/** Only what fits into a header, because that is where it goes. */
const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.number().positive(),
});

const errorAnswer = z.object({ error: z.string(), error_description: z.string().default('') });

/**
 * Asks Login with Amazon for an access token. Safe to repeat.
 *
 * @throws SyncFailure SourceUnauthorized when the app or the seller's permission is refused, with the word
 *   'expired' or 'revoked' in its message only where Amazon says so; other `Source…` codes. No message or cause
 *   holds a secret.
 */
export async function requestAccessToken(options: AccessTokenRequest): Promise<LwaToken> {
  const { credentials, lwaUrl, http, timeoutMs } = options;
  const source = nameSource('Login with Amazon', new URL(lwaUrl));
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: credentials.refresh_token,
    client_id: credentials.client_id,
    client_secret: credentials.client_secret,
  });
  let answer: Dispatcher.ResponseData;
  let text: string;
  try {
    answer = await request(lwaUrl, {
      method: 'POST',
      dispatcher: http,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        'user-agent': USER_AGENT,
        accept: 'application/json',
      },
      body: form.toString(),
    });
    text = await answer.body.text();
  } catch (error) {
    throw networkFailure(source, error);
  }

  const body = readBody(text);
  if (answer.statusCode === 200) {
    const token = tokenAnswer.safeParse(body);
    if (token.success) {
      return { accessToken: token.data.access_token, expiresInMs: token.data.expires_in * 1000 };
    }
    throw new SyncFailure('SourceUnavailable', `${source}: the answer holds no token. It is asked again.`);
  }
  const refusal = errorAnswer.safeParse(body);
  throw (
    (refusal.success ? refusalFailure(source, refusal.data) : undefined) ??
    statusFailure(source, answer.statusCode, headerText(answer.headers['retry-after']))
  );
}

function refusalFailure(
  source: string,
  { error, error_description: description }: z.infer<typeof errorAnswer>,
): SyncFailure | undefined {
  const expired = /expired/i.test(description);
  switch (error) {
    case 'invalid_grant':
      return new SyncFailure(
        'SourceUnauthorized',
        `${source}: the seller's permission (refresh_token) is ${expired ? 'expired' : 'revoked'} (invalid_grant). ` +
          `Ask the seller to authorize the app again and store the new refresh_token.`,
      );
    case 'invalid_client':
      return new SyncFailure(
        'SourceUnauthorized',
        `${source}: the app's client_id and client_secret are ${expired ? 'expired' : 'not accepted'} (invalid_client). ` +
          `Store the current ones from the app's page in Seller Central.`,
      );
    case 'unauthorized_client':
      return new SyncFailure(
        'SourceUnauthorized',
        `${source}: this app may not use the seller's refresh_token (unauthorized_client). ` +
          `Store a client_id and a refresh_token that belong together.`,
      );
    default:
      return undefined;
  }
}
