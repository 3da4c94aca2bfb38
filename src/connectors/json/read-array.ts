import { JSONParser } from '@streamparser/json';
import { SyncFailure } from '../../domain/failures.ts';

export interface ArrayOptions {
  /** How errors name the answer. */
  readonly source: string;
  /** What the array holds, for errors, such as 'sales'. */
  readonly of: string;
}

/** One element that takes more than this is no record. */
const ELEMENT_BYTES_MAX = 32 * 1024 * 1024;
const HEAD_BYTES = 4_096;

/**
 * Reads a JSON array as blocks of its elements, in constant memory however long it is.
 *
 * @throws SyncFailure FileUnreadable for anything that is not an array, naming what it is but none of its values;
 *   SourceTruncated when it ends too early
 */
export async function* readArray(
  chunks: AsyncIterable<Buffer>,
  { source, of }: ArrayOptions,
): AsyncGenerator<unknown[], void, undefined> {
  let elements: unknown[] = [];
  let bytesOfElement = 0;
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  parser.onValue = ({ value }) => {
    elements.push(value);
    bytesOfElement = 0;
  };
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let bytes = chunk;
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      if (head.toString('utf8').trimStart() === '' && head.length < HEAD_BYTES) continue;
      refuseOther(head, source, of);
      bytes = head.subarray(head.indexOf('['));
      head = null;
    }
    bytesOfElement += bytes.length;
    feed(parser, bytes, source);
    if (elements.length > 0) yield elements;
    elements = [];
    if (bytesOfElement > ELEMENT_BYTES_MAX) {
      throw new SyncFailure(
        'FileUnreadable',
        `${source}: one element of the answer takes more than 32 MB, so it holds no ${of}. Check the address.`,
      );
    }
  }
  if (head !== null) refuseOther(head, source, of);
  if (parser.isEnded) return;
  throw new SyncFailure(
    'SourceTruncated',
    `${source}: the answer ends inside its array. It is asked for again.`,
  );
}

function feed(parser: JSONParser, bytes: Buffer, source: string): void {
  try {
    parser.write(bytes);
  } catch (error) {
    // Left behind: it quotes the text.
    throw new SyncFailure(
      'FileUnreadable',
      `${source}: the answer is not well-formed JSON. Ask its sender.`,
      {
        cause: error instanceof Error ? error.name : undefined,
      },
    );
  }
}

function refuseOther(head: Buffer, source: string, of: string): void {
  const text = head.subarray(0, HEAD_BYTES).toString('utf8').trimStart();
  if (text.startsWith('[')) return;
  throw new SyncFailure(
    'FileUnreadable',
    `${source}: the answer is ${nameOf(text)}, not an array of ${of}. Check the address, and whether its key is still valid.`,
  );
}

function nameOf(text: string): string {
  if (text === '') return 'empty';
  if (text.startsWith('<')) return 'a web page';
  if (!text.startsWith('{')) return 'no JSON array';
  // Names only: the values of an error may repeat the credentials of the request.
  const names = [...new Set(Array.from(text.matchAll(/"(\w{1,40})"\s*:/g), ([, name]) => name))].slice(0, 5);
  return names.length === 0 ? 'a JSON object' : `a JSON object with ${names.join(', ')}`;
}
