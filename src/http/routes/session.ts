import { getConnInfo } from '@hono/node-server/conninfo';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { audit } from '../../db/audit.ts';
import { endSession, openSession, useLoginCode } from '../../db/sessions.ts';
import { hashToken } from '../../db/tokens.ts';
import { type Api, type ApiEnv, json, newRouter } from '../api.ts';
import { needs, type Principal, principalOf } from '../authenticate.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';
import { createCallLimit } from '../rate-limit.ts';
import {
  dropSessionCookie,
  readSessionCookie,
  refuseCrossSite,
  writeSessionCookie,
} from '../session-cookie.ts';
import { sessionSchema } from '../session-schemas.ts';

const LOGIN_LIMIT = { of: 'logins', burst: 10, perSecond: 1 / 6 };

const login = createRoute({
  method: 'post',
  path: '/api/session',
  tags: ['session'],
  summary: 'Log the dashboard in, with a token or with the code of a login link',
  security: [],
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.union([
            z.strictObject({ token: z.string().min(1).max(500) }),
            z.strictObject({ code: z.string().min(1).max(500) }),
          ]),
        },
      },
    },
  },
  responses: {
    200: json(sessionSchema, 'Logged in; the cookie of the session is set.'),
    400: problem('The body is neither a token nor a code.'),
    401: problem('The token is unknown or revoked, or the code is unknown, used or older than ten minutes.'),
    403: problem('The request came from a page of somewhere else.'),
    429: problem('Too many logins from this address; `Retry-After` says when to try again.'),
    500: COMMON_PROBLEMS[500],
    503: COMMON_PROBLEMS[503],
  },
});

const show = createRoute({
  method: 'get',
  path: '/api/session',
  tags: ['session'],
  summary: 'Who is logged in, or whose token this is',
  ...needs('viewer'),
  responses: { 200: json(sessionSchema, 'Who asks.'), ...COMMON_PROBLEMS },
});

const logout = createRoute({
  method: 'delete',
  path: '/api/session',
  tags: ['session'],
  summary: 'Log the dashboard out',
  ...needs('viewer'),
  responses: { 200: json(z.object({ ended: z.literal(true) }), 'It is logged out.'), ...COMMON_PROBLEMS },
});

/** What the dashboard has to know about who looks at it and where. */
function shown({ session }: Api, { actor, role }: Principal): z.infer<typeof sessionSchema> {
  const { mode, temporalUiUrl, temporal } = session.targets;
  const web = temporalUiUrl !== null && /^https?:\/\//.test(temporalUiUrl) ? temporalUiUrl : null;
  return {
    actor,
    role,
    mode,
    temporal_workflows_url: web && `${web.replace(/\/$/, '')}/namespaces/${temporal.namespace}/workflows`,
  };
}

/** Logging in: the one route below /api that is open to everybody. */
export function loginRoute(api: Api) {
  const { db } = api.session.database;
  const takeLogin = createCallLimit(LOGIN_LIMIT);
  return newRouter().openapi(login, async (c) => {
    if (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined) {
      refuseCrossSite(c);
    }
    takeLogin(addressOf(c));
    const given = c.req.valid('json');
    const tokenHash = 'code' in given ? await useLoginCode(db, given.code) : hashToken(given.token);
    const principal = tokenHash && (await principalOf(api, tokenHash));
    if (!principal) {
      throw new ProblemError(
        'unauthorized',
        'code' in given
          ? 'This login link was used, or is older than ten minutes. Make a new one with: npx durasync login'
          : 'This token is unknown or revoked. Make one with: npx durasync token create --role operator',
      );
    }
    const opened = await openSession(db, tokenHash);
    writeSessionCookie(c, opened.id, opened.expiresAt);
    const { actor, tokenId } = principal;
    const detail = { with: 'code' in given ? 'link' : 'token', tokenId };
    await audit(db, { actor, action: 'log in', subject: 'dashboard', detail });
    c.header('Cache-Control', 'no-store');
    return c.json(shown(api, principal), 200);
  });
}

function addressOf(c: Context<ApiEnv>): string {
  return getConnInfo(c).remote.address ?? 'unknown';
}

/** Who is logged in, and logging out. */
export function sessionRoutes(api: Api) {
  const { db } = api.session.database;
  return newRouter()
    .openapi(show, (c) => c.json(shown(api, c.get('principal')), 200))
    .openapi(logout, async (c) => {
      const id = readSessionCookie(c);
      if (id !== undefined) await endSession(db, id);
      const { actor, tokenId } = c.get('principal');
      await audit(db, { actor, action: 'log out', subject: 'dashboard', detail: { tokenId } });
      dropSessionCookie(c);
      return c.json({ ended: true as const }, 200);
    });
}
