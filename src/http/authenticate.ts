import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { findSession } from '../db/sessions.ts';
import { findTokenByHash, hashToken, type Role, ROLES } from '../db/tokens.ts';
import type { Api, ApiEnv } from './api.ts';
import { ProblemError } from './problems.ts';
import { createCallLimit } from './rate-limit.ts';
import { readSessionCookie, refuseCrossSite } from './session-cookie.ts';

/** Who asks. */
export interface Principal {
  /** For the audit log: `token:ci`. */
  readonly actor: string;
  readonly role: Role;
  readonly tokenId: string;
}

/**
 * Lets in only who has a Bearer token, or the cookie of a login with one, and says to the routes behind it whose it
 * is. Limits how much one token changes in a short time.
 */
export const authenticate = (api: Api) => {
  const takeChange = createCallLimit({ of: 'changes', burst: 200, perSecond: 10 });
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set('principal', await identify(api, c));
    c.set('takeChange', takeChange);
    await next();
  });
};

/** Who sends this request. @throws ProblemError unauthorized, cross-site */
export async function identify(api: Api, c: Context<ApiEnv>): Promise<Principal> {
  const [, token] = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '') ?? [];
  const session = readSessionCookie(c);
  if (token === undefined && session === undefined) {
    throw unauthorized(
      'Send a token as "Authorization: Bearer dsk_…", or log in at /login. ' +
        'Make a token with: npx durasync token create --role viewer',
      'Bearer realm="durasync"',
    );
  }
  if (token !== undefined) {
    const principal = await principalOf(api, hashToken(token));
    if (principal) return principal;
    throw unauthorized(
      'This token is unknown or revoked. See the tokens there are with: npx durasync token list',
      'Bearer realm="durasync", error="invalid_token"',
    );
  }
  const tokenHash = await findSession(api.session.database.db, session ?? '');
  const principal = tokenHash && (await principalOf(api, tokenHash));
  if (!principal)
    throw unauthorized('The login has ended. Log in again at /login.', 'Bearer realm="durasync"');
  refuseCrossSite(c);
  return principal;
}

const unauthorized = (detail: string, challenge: string): ProblemError =>
  new ProblemError('unauthorized', detail, {}, { 'WWW-Authenticate': challenge });

/** Who a token stands for, by its hash; undefined when it is unknown or revoked. */
export async function principalOf(
  { session, config }: Api,
  tokenHash: Buffer,
): Promise<Principal | undefined> {
  const fixed = config.DURASYNC_ADMIN_TOKEN;
  if (fixed !== undefined && timingSafeEqual(tokenHash, hashToken(fixed))) {
    return { actor: 'token:DURASYNC_ADMIN_TOKEN', role: 'admin', tokenId: 'DURASYNC_ADMIN_TOKEN' };
  }
  const found = await findTokenByHash(session.database.db, tokenHash);
  return found && { actor: `token:${found.name}`, role: found.role, tokenId: found.id };
}

/** Either of them is enough. */
const SECURITY: Record<string, string[]>[] = [{ bearer: [] }, { session: [] }];

/** What makes a route need a role: the check itself, and what the OpenAPI document says about it. */
export const needs = (role: Role) => ({
  security: SECURITY,
  'x-required-role': role,
  middleware: createMiddleware<ApiEnv>(async (c, next) => {
    const { role: own, tokenId } = c.get('principal');
    if (ROLES.indexOf(own) < ROLES.indexOf(role)) {
      throw new ProblemError(
        'forbidden',
        `This needs a token of the role ${role}; this one is of the role ${own}. ` +
          `Make one with: npx durasync token create --role ${role}`,
        { required_role: role },
      );
    }
    if (c.req.method !== 'GET') c.get('takeChange')(tokenId);
    await next();
  }),
});
