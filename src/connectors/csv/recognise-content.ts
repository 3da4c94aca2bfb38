import { SyncFailure } from '../../domain/failures.ts';

const HEAD_BYTES = 4096;

const SIGNATURES: readonly (readonly [signature: string, name: string])[] = [
  ['%PDF-', 'a PDF document'],
  ['PK\x03\x04', 'a zip archive or an Excel workbook'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook'],
  ['\x89PNG', 'an image'],
  ['\xff\xd8\xff', 'an image'],
  ['\xff\xfe', 'UTF-16 text'],
  ['\xfe\xff', 'UTF-16 text'],
];
const HTML_TAG =
  /^<(!doctype html|!--|(html|head|body|title|meta|script|style|table|div|center|form|h1|p)\b)/i;

/**
 * Passes a file on, unless its beginning shows that it is something else than CSV: then nothing is passed on.
 *
 * @throws SyncFailure FileUnreadable saying what the file looks like
 */
export async function* refuseOtherContent(
  source: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    refuse(source, head);
    yield head;
    head = null;
  }
  if (head === null) return;
  refuse(source, head);
  yield head;
}

function refuse(source: string, head: Buffer): void {
  const found = recogniseContent(head);
  if (found === null) return;
  throw new SyncFailure(
    'FileUnreadable',
    `${source}: this is ${found}, not a CSV file. Check the address, and whether its login has expired.`,
  );
}

/** What a file that can't be CSV looks like, as 'an HTML page titled "Sign in"'; null when it may be CSV. */
export function recogniseContent(head: Buffer): string | null {
  const bytes = head.subarray(0, 4).toString('latin1');
  for (const [signature, name] of SIGNATURES) {
    if (bytes.startsWith(signature.slice(0, 4))) return name;
  }
  const text = head.subarray(0, HEAD_BYTES).toString('utf8').trimStart();
  if (HTML_TAG.test(text)) {
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.replace(/\s+/g, ' ').trim() ?? '';
    return title === '' ? 'an HTML page' : `an HTML page titled "${title.slice(0, 80)}"`;
  }
  if (/^<[a-z?!]/i.test(text)) return 'an XML document';
  if (/^(\{\s*["}]|\[\s*[{["\]])/.test(text)) {
    // Names only: the values of an error may repeat the credentials of the request.
    const names = new Set(Array.from(text.matchAll(/"(\w{1,40})"\s*:/g), ([, name]) => name));
    return names.size === 0 ? 'a JSON answer' : `a JSON answer with ${[...names].slice(0, 5).join(', ')}`;
  }
  return null;
}
