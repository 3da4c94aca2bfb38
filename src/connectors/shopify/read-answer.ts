import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { statusFailure } from '../http/source-failures.ts';
import { queryCost, refillMs, throttled, THROTTLED_WAIT_MIN_MS } from './throttle.ts';
import type { QueryCost } from './throttle.ts';

const QUOTED_CHARACTERS_MAX = 300;

export interface ShopifyAnswer {
  /** How errors name the shop. */
  readonly source: string;
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
  /** Taken out of everything that is quoted. */
  readonly accessToken: string;
}

const graphqlError = z.looseObject({
  message: z.string().optional(),
  extensions: z.looseObject({ code: z.string().optional().catch(undefined) }).nullish(),
});
type GraphqlError = z.infer<typeof graphqlError>;

/** `errors` is a text, and sometimes an object, where the request did not get as far as GraphQL. */
const answerBody = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.union([z.array(graphqlError), z.string(), z.record(z.string(), z.unknown())]).nullish(),
  extensions: z.looseObject({ cost: queryCost.optional().catch(undefined) }).nullish(),
});
type AnswerBody = z.infer<typeof answerBody>;

/** The body as an object, or null when it is not the JSON of this API, such as an HTML page. */
export function parseBody(text: string): AnswerBody | null {
  try {
    return answerBody.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function costOf(body: AnswerBody | null): QueryCost | undefined {
  return body?.extensions?.cost;
}

/**
 * The data of a complete answer. Data that comes together with errors is never used: it is half a page.
 *
 * @throws SyncFailure with a `Source…` code
 */
export function dataOf(answer: ShopifyAnswer, body: AnswerBody | null): Readonly<Record<string, unknown>> {
  const errors = Array.isArray(body?.errors) ? body.errors : [];
  const refusal = errors.find((error) => error.extensions?.code === 'THROTTLED');
  if (refusal !== undefined) {
    const cost = costOf(body);
    const refill = cost === undefined ? THROTTLED_WAIT_MIN_MS : refillMs(cost);
    const asked = statusFailure(answer.source, 429, answer.retryAfter).retryAfterMs ?? 0;
    throw throttled(answer.source, Math.max(refill, asked));
  }
  if (answer.status !== 200) throw httpFailure(answer, body);
  if (body === null) {
    throw new SyncFailure(
      'SourceUnavailable',
      `${answer.source}: the answer is not one of the Admin API, such as a web page. It is tried again.`,
    );
  }
  const [first] = errors;
  if (first !== undefined) throw graphqlFailure(answer, first, body);
  if (typeof body.errors === 'string' || (body.errors && !Array.isArray(body.errors))) {
    throw new SyncFailure('SourceRefused', `${answer.source}: refused the query.${said(answer, body)}`);
  }
  if (body.data === null || body.data === undefined) {
    throw new SyncFailure('SourceUnavailable', `${answer.source}: answered without data. It is tried again.`);
  }
  return body.data;
}

function httpFailure(answer: ShopifyAnswer, body: AnswerBody | null): SyncFailure {
  const { source, status, retryAfter } = answer;
  const refused = (code: 'SourceRefused' | 'SourceUnauthorized' | 'SourceNotFound', text: string) =>
    new SyncFailure(code, `${source}: ${text} (HTTP ${status}).${said(answer, body)}`);
  switch (status) {
    case 401:
      return refused('SourceUnauthorized', 'the access token is refused; put in a new one');
    case 402:
      return refused('SourceRefused', 'the shop is frozen until its owner pays Shopify');
    case 403:
      return refused('SourceUnauthorized', 'the access token may not use this shop; check its access scopes');
    case 404:
      return refused('SourceNotFound', 'there is no such shop; check shop_domain');
    case 423:
      return refused('SourceRefused', 'the shop is locked; its owner has to ask Shopify');
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      // Not followed, because the access token must not go to another host.
      return refused('SourceRefused', "redirects elsewhere; use the shop's own myshopify.com domain");
    default:
      return statusFailure(source, status, retryAfter);
  }
}

function graphqlFailure(answer: ShopifyAnswer, error: GraphqlError, body: AnswerBody): SyncFailure {
  const { source } = answer;
  const text = said(answer, body);
  switch (error.extensions?.code ?? '') {
    case 'ACCESS_DENIED':
      return new SyncFailure('SourceRefused', `${source}: the access token lacks an access scope.${text}`);
    case 'SHOP_INACTIVE':
      return new SyncFailure('SourceRefused', `${source}: the shop is closed or not active.${text}`);
    case 'INTERNAL_SERVER_ERROR':
    case 'TIMEOUT':
      return new SyncFailure('SourceUnavailable', `${source}: failed inside. It is tried again.${text}`);
    default:
  }
  // A query that is wrong gets no data at all; with data, something went wrong while the shop collected it.
  return body.data === null || body.data === undefined
    ? new SyncFailure('SourceRefused', `${source}: refused the query.${text}`)
    : new SyncFailure(
        'SourceUnavailable',
        `${source}: gave only a part of a page. It is tried again.${text}`,
      );
}

/** What the shop says, cut short and without the token. */
function said({ accessToken }: ShopifyAnswer, body: AnswerBody | null): string {
  const errors = body?.errors;
  if (errors === null || errors === undefined) return '';
  const text = Array.isArray(errors)
    ? errors.map(({ message, extensions }) => message ?? extensions?.code ?? 'no reason given').join('; ')
    : typeof errors === 'string'
      ? errors
      : JSON.stringify(errors);
  const shown = text
    .replaceAll(accessToken, '(token)')
    .replaceAll(encodeURIComponent(accessToken), '(token)');
  return ` It says: ${shown.slice(0, QUOTED_CHARACTERS_MAX)}`;
}
