import { unescape } from 'node:querystring';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { SyncFailure } from '../../domain/failures.ts';
import type { SourceAgent } from './create-agent.ts';
import { decodeBody } from './decode-body.ts';
import { nameSource } from './name-source.ts';
import { bodyFailure, requestFailure, statusFailure } from './source-failures.ts';

const MAX_REDIRECTS = 5;

export interface FileRequest {
  readonly url: string;
  /** The setting that holds the address: the name every error uses. */
  readonly setting: string;
  /** Ends the fetch at once, with the signal's reason. */
  readonly signal: AbortSignal;
  /** See `createAgent`; it decides how long connecting may take, and where it may lead. */
  readonly agent: SourceAgent;
  /** Sent to the host of `url` only, never to one it redirects to. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer may take to begin. Reports are made while we wait. */
  readonly headersTimeoutMs?: number;
  /** How long the body may stand still while we are ready for more. */
  readonly bodyIdleTimeoutMs?: number;
}

export interface FetchedFile {
  /** The file's bytes, decompressed, as fast as they are taken. Read it to its end, or abort the signal. */
  readonly chunks: AsyncIterable<Buffer>;
  readonly contentType: string | undefined;
  /** Before the first byte was asked for: what the file shows is at least as new as this. */
  readonly fetchStartedAt: Date;
}

/**
 * Fetches a file over HTTP as a stream, following up to five redirects. Safe to repeat.
 *
 * @throws SyncFailure with a `Source…` code or FileUnreadable, here or while `chunks` is read: a body that ends
 *   before its declared end is SourceTruncated, never a short file
 */
export async function fetchFile(file: FileRequest): Promise<FetchedFile> {
  const fetchStartedAt = new Date();
  const first = parseAddress(file);
  const seen = new Set([first.href]);
  let target = first;
  for (;;) {
    const source = nameSource(file.setting, target);
    // What a server redirects to was not written by a person, so it may not lead everywhere.
    const answer = await (target.origin === first.origin
      ? send(file, target, file.agent, file.headers)
      : send(file, target, file.agent.redirects, {}));
    const { statusCode, headers } = answer;
    if (statusCode >= 200 && statusCode < 300 && statusCode !== 202 && statusCode !== 206) {
      const received = receive(source, answer.body, file.signal);
      return {
        chunks: decodeBody(source, received, headerText(headers['content-encoding']) ?? ''),
        contentType: headerText(headers['content-type']),
        fetchStartedAt,
      };
    }
    // Nobody waits for the rest of a body that is not the file, and how it ends says nothing more.
    answer.body.dump().catch(() => {});
    const location = headerText(headers.location);
    if (!isRedirect(statusCode) || location === undefined) {
      throw statusFailure(source, statusCode, headerText(headers['retry-after']));
    }
    target = redirectTarget(source, location, target);
    // `seen` also holds the first address, so it has one entry more than there were redirects.
    if (seen.has(target.href) || seen.size > MAX_REDIRECTS) {
      throw new SyncFailure(
        'SourceRedirectLoop',
        `${source}: redirects in a loop, or more than ${MAX_REDIRECTS} times. Check the address in this setting.`,
      );
    }
    seen.add(target.href);
  }
}

async function send(
  { setting, signal, headersTimeoutMs = 120_000, bodyIdleTimeoutMs = 60_000 }: FileRequest,
  target: URL,
  dispatcher: Dispatcher,
  headers: FileRequest['headers'],
): Promise<Dispatcher.ResponseData> {
  const address = new URL(target);
  address.username = '';
  address.password = '';
  try {
    return await request(address, {
      dispatcher,
      signal,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyIdleTimeoutMs,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...basicAuthorization(target), ...headers },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw requestFailure(nameSource(setting, target), error);
  }
}

async function* receive(
  source: string,
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw bodyFailure(source, error);
  }
}

// `unescape` leaves a bare % as it is, where decodeURIComponent would throw.
function basicAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const user = `${unescape(username)}:${unescape(password)}`;
  return { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
}

function parseAddress({ url, setting }: FileRequest): URL {
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !isHttp(address)) {
    throw new SyncFailure('SourceNotConfigured', `${setting}: not an http or https address. Correct it.`);
  }
  return address;
}

function redirectTarget(source: string, location: string, base: URL): URL {
  const target = URL.canParse(location, base.href) ? new URL(location, base) : null;
  if (target === null || !isHttp(target)) {
    throw new SyncFailure('SourceRefused', `${source}: redirects to something that is not an http address.`);
  }
  // A relative redirect inherits no user from its base (RFC 3986), but stays with the same server.
  if (target.origin === base.origin && target.username === '' && target.password === '') {
    target.username = base.username;
    target.password = base.password;
  }
  return target;
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
