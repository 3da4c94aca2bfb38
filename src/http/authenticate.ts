import { timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { findToken, hashToken, type Role, ROLES } from '../db/tokens.ts';
import type { Api, ApiEnv } from './api.ts';
import { ProblemError } from './problems.ts';

/** Who asks. */
export interface Principal {
  /** For the audit log: `token:ci`. */
  readonly actor: string;
  readonly role: Role;
  readonly tokenId: string;
}

/** Lets in only who has a Bearer token, and says to the routes behind it whose it is. */
export const authenticate = (api: Api) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '') ?? [];
    if (token === undefined) {
      throw unauthorized(
        'Send a token as "Authorization: Bearer dsk_…". Make one with: npx durasync token create --role viewer',
        'Bearer realm="durasync"',
      );
    }
    const principal = await principalOf(api, token);
    if (!principal) {
      throw unauthorized(
        'This token is unknown or revoked. See the tokens there are with: npx durasync token list',
        'Bearer realm="durasync", error="invalid_token"',
      );
    }
    c.set('principal', principal);
    await next();
  });

const unauthorized = (detail: string, challenge: string): ProblemError =>
  new ProblemError('unauthorized', detail, {}, { 'WWW-Authenticate': challenge });

async function principalOf({ session, config }: Api, token: string): Promise<Principal | undefined> {
  const fixed = config.DURASYNC_ADMIN_TOKEN;
  if (fixed !== undefined && timingSafeEqual(hashToken(token), hashToken(fixed))) {
    return { actor: 'token:DURASYNC_ADMIN_TOKEN', role: 'admin', tokenId: 'DURASYNC_ADMIN_TOKEN' };
  }
  const found = await findToken(session.database.db, token);
  return found && { actor: `token:${found.name}`, role: found.role, tokenId: found.id };
}

/** What makes a route need a role: the check itself, and what the OpenAPI document says about it. */
export const needs = (role: Role) => ({
  security: [{ bearer: [] }],
  'x-required-role': role,
  middleware: createMiddleware<ApiEnv>(async (c, next) => {
    const own = c.get('principal').role;
    if (ROLES.indexOf(own) < ROLES.indexOf(role)) {
      throw new ProblemError(
        'forbidden',
        `This needs a token of the role ${role}; this one is of the role ${own}. ` +
          `Make one with: npx durasync token create --role ${role}`,
        { required_role: role },
      );
    }
    await next();
  }),
});
