import { z } from '@hono/zod-openapi';

/** Every problem the API answers with: its status, and its title for people. */
const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'The token may not do this' },
  'cross-site': { status: 403, title: 'The request came from a page of somewhere else' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  'sync-off': { status: 409, title: 'The sync is off' },
  'not-held': { status: 409, title: 'The run does not wait for a decision' },
  'not-undoable': { status: 409, title: 'The run cannot be undone' },
  'not-running': { status: 409, title: 'The run is not under way' },
  'client-paused': { status: 409, title: 'The client is paused' },
  'client-busy': { status: 409, title: 'A run of the client goes on' },
  'too-large': { status: 413, title: 'The request body is too large' },
  'unusable-file': { status: 422, title: 'The file cannot be used' },
  'wrong-media-type': { status: 415, title: 'The request body has the wrong media type' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'run-failed': { status: 500, title: 'The run failed before it began' },
  unexpected: { status: 500, title: 'Something unexpected went wrong' },
  unavailable: { status: 503, title: 'A part of the system does not answer' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** What helps beside the sentence: the role needed, which parameters are wrong, which engine is down. */
export type ProblemExtras = Readonly<Record<string, unknown>>;

/** An answer that is not what was asked for. The detail goes to the client: never a secret. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    extras: ProblemExtras = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.code = code;
    this.extras = extras;
    this.headers = headers;
  }
}

/** The problem as RFC 9457 wants it. */
export function problemResponse(problem: ProblemError): Response {
  const { status, title } = PROBLEMS[problem.code];
  const body = {
    type: `urn:durasync:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    ...problem.extras,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
  });
}

const problemSchema = z
  .looseObject({
    type: z.enum(Object.keys(PROBLEMS).map((code) => `urn:durasync:problem:${code}`)),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'What happened, where, and what to do.' }),
    errors: z
      .array(z.object({ in: z.string(), parameter: z.string(), reason: z.string() }))
      .optional()
      .openapi({ description: 'Of a request that is not valid: each wrong parameter.' }),
    required_role: z.string().optional(),
    retry_after_seconds: z.number().int().optional(),
    request_id: z
      .string()
      .optional()
      .openapi({ description: 'Of something unexpected: finds its line in the log.' }),
  })
  .openapi('Problem', { description: 'Problem details, RFC 9457.' });

/** A problem among the answers of a route. */
export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
});

/** The problems that every route with a token may answer. */
export const COMMON_PROBLEMS = {
  400: problem('A parameter or the body is not valid; `errors` names each.'),
  401: problem('No token, or one that is unknown or revoked.'),
  403: problem('The token has a lower role than the route needs.'),
  429: problem('Too many changes in a short time; `Retry-After` says when to try again.'),
  500: problem('Something unexpected; `request_id` finds it in the log.'),
  503: problem('PostgreSQL or Temporal does not answer.'),
};
