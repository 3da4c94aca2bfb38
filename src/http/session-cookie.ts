import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { ApiEnv } from './api.ts';
import { ProblemError } from './problems.ts';

const NAME = 'durasync_session';

/** Behind a proxy that ends TLS, the proxy says so. Who claims it falsely only gets a cookie it can't send. */
const isHttps = (c: Context<ApiEnv>): boolean =>
  new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';

/** Browsers share cookies among the ports of a host, and two installations may run on one machine. */
const nameFor = (c: Context<ApiEnv>): string => {
  const { port } = new URL(c.req.url);
  if (isHttps(c)) return `__Host-${NAME}`;
  return port ? `${NAME}_${port}` : NAME;
};

export const readSessionCookie = (c: Context<ApiEnv>): string | undefined => getCookie(c, nameFor(c));

/** No script can read it, no other site's page sends it, and on HTTPS it never travels in the clear. */
export function writeSessionCookie(c: Context<ApiEnv>, id: string, expires: Date): void {
  const secure = isHttps(c);
  setCookie(c, nameFor(c), id, { path: '/', httpOnly: true, sameSite: 'Strict', secure, expires });
}

export function dropSessionCookie(c: Context<ApiEnv>): void {
  deleteCookie(c, nameFor(c), { path: '/', secure: isHttps(c) });
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a page of somewhere else lets the browser send with our cookie. SameSite alone is not enough: every
 * port of localhost is the same site.
 *
 * @throws ProblemError cross-site
 */
export function refuseCrossSite(c: Context<ApiEnv>): void {
  if (READING.has(c.req.method)) return;
  const fetchSite = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  // What the browser says itself holds also behind a proxy that changes the Host.
  const ours =
    fetchSite === undefined
      ? origin !== undefined && hostOf(origin) === c.req.header('host')
      : fetchSite === 'same-origin';
  if (ours) return;
  throw new ProblemError(
    'cross-site',
    'A change with the cookie of the dashboard has to come from its own pages. Programs send a token as ' +
      '"Authorization: Bearer dsk_…".',
  );
}

const hostOf = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host : undefined;
