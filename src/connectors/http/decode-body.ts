import { Readable, pipeline } from 'node:stream';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { SyncFailure } from '../../domain/failures.ts';

type Decoder = 'plain' | 'gzip' | 'deflate' | 'raw deflate' | 'br';
type Chunks = AsyncIterable<Buffer>;

/**
 * Undoes Content-Encoding, then gzip of the file itself (an export saved as .csv.gz), as a stream.
 *
 * @param source how to name the source in an error
 * @param contentEncoding the header, possibly a list: 'gzip', 'br', 'deflate, gzip'
 * @throws SyncFailure SourceTruncated when compressed data ends too early, FileUnreadable when it is not
 *   what the header says
 */
export function decodeBody(source: string, chunks: Chunks, contentEncoding: string): Chunks {
  let decoded = chunks;
  for (const coding of contentEncoding.toLowerCase().split(',').reverse()) {
    decoded = decode(source, decoded, (head) => decoderOf(source, coding.trim(), head));
  }
  return decode(source, decoded, (head) => (isGzip(head) ? 'gzip' : 'plain'));
}

async function* decode(source: string, chunks: Chunks, choose: (head: Buffer) => Decoder): Chunks {
  const input = chunks[Symbol.asyncIterator]();
  try {
    const head = await readHead(input, 2);
    if (head.length === 0) return;
    const decoder = choose(head);
    if (decoder === 'plain') yield* continued(head, input);
    else yield* decompress(source, continued(head, input), decoder);
  } finally {
    await input.return?.();
  }
}

async function* decompress(source: string, chunks: Chunks, decoder: Exclude<Decoder, 'plain'>): Chunks {
  const output = createDecoder(decoder);
  // An error of either side destroys `output` with that error, so the loop below throws it.
  pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 1 }), output, () => {});
  try {
    for await (const chunk of output) yield chunk as Buffer;
  } catch (error) {
    throw decodingFailure(source, decoder, error);
  }
}

function decodingFailure(source: string, decoder: Decoder, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error.code === 'Z_BUF_ERROR') {
    return new SyncFailure(
      'SourceTruncated',
      `${source}: the ${decoder} data ends too early. It is fetched again.`,
    );
  }
  if (/^(Z_|ERR_BROTLI|ERR__ERROR)/.test(error.code)) {
    return new SyncFailure(
      'FileUnreadable',
      `${source}: the body is marked as ${decoder} but is not (${error.code}). Ask the sender of the file.`,
    );
  }
  return error;
}

function decoderOf(source: string, coding: string, head: Buffer): Decoder {
  switch (coding) {
    case '':
    case 'identity':
      return 'plain';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'br':
      return 'br';
    case 'deflate':
      // Some servers leave out the zlib header, whose low four bits are always 8.
      return ((head[0] ?? 0) & 0x0f) === 8 ? 'deflate' : 'raw deflate';
    default:
      throw new SyncFailure('FileUnreadable', `${source}: the body has the unknown encoding '${coding}'.`);
  }
}

function createDecoder(decoder: Exclude<Decoder, 'plain'>): Transform {
  switch (decoder) {
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'raw deflate':
      return createInflateRaw();
    case 'br':
      return createBrotliDecompress();
  }
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function readHead(input: AsyncIterator<Buffer>, bytes: number): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await input.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* continued(head: Buffer, input: AsyncIterator<Buffer>): Chunks {
  yield head;
  for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
}
