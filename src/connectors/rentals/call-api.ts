import { request, type Dispatcher } from 'undici';
import { SyncFailure } from '../../domain/failures.ts';
import { bodyFailure, requestFailure, statusFailure } from '../http/source-failures.ts';

export interface ApiCall {
  readonly url: URL;
  /** How errors name the source. */
  readonly source: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly http: Dispatcher;
  readonly signal: AbortSignal;
  /** For the whole answer, its last byte included. */
  readonly timeoutMs: number;
}

/** A year of the largest location is a tenth of this; several answers are in memory at once. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Makes one call and gives the text of its answer. Reading has no effect there, so it is safe to repeat.
 *
 * @throws SyncFailure with a `Source…` code, or the signal's reason
 */
export async function callApi(call: ApiCall): Promise<string> {
  const { url, source, method, headers, body, http, signal, timeoutMs } = call;
  const timeout = AbortSignal.timeout(timeoutMs);
  const failed = (toFailure: typeof requestFailure) => (error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof SyncFailure) throw error;
    if (!timeout.aborted) throw toFailure(source, error);
    const seconds = timeoutMs / 1000;
    throw new SyncFailure('SourceUnavailable', `${source}: no whole answer within ${seconds} s.`);
  };
  const response = await request(url, {
    dispatcher: http,
    method,
    headers,
    body,
    signal: AbortSignal.any([signal, timeout]),
  }).catch(failed(requestFailure));
  const { statusCode } = response;
  if (statusCode !== 200) {
    await response.body.dump().catch(() => undefined);
    if (statusCode === 204) return 'null';
    throw statusFailure(source, statusCode, String(response.headers['retry-after'] ?? ''));
  }
  return readText(source, response.body).catch(failed(bodyFailure));
}

async function readText(source: string, body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      // Leaving the loop closes the connection, so that the rest is not read.
      throw new SyncFailure(
        'SourceRefused',
        `${source}: the answer is larger than ${ANSWER_BYTES_MAX / 1024 ** 2} MB. Ask for fewer days with --from and --to.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
