import { inflateRawSync } from 'node:zlib';
import { SyncFailure } from '../../domain/failures.ts';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const COMMENT_BYTES_MAX = 65_535;
const STORED = 0;
const DEFLATED = 8;
const MB = 1024 * 1024;

interface ArchiveLimits {
  /** Bytes of all files together once they are unpacked. */
  readonly bytesMax: number;
  readonly filesMax: number;
}

const LIMITS: ArchiveLimits = { bytesMax: 200 * MB, filesMax: 2_000 };

/**
 * Looks at what a workbook unpacks to before anything reads it: a few kilobytes may become many gigabytes. What the
 * archive says of itself is not believed.
 *
 * @throws SyncFailure FileUnreadable saying what is wrong
 */
export function checkArchive(content: Buffer, source: string, limits = LIMITS): void {
  const refuse = (why: string): never => {
    throw new SyncFailure('FileUnreadable', `${source}: ${why}`);
  };
  const entries = readDirectory(content) ?? refuse('this ZIP archive is cut off or damaged. Save it again.');
  if (entries.length > limits.filesMax) refuse(`it holds ${entries.length} files, which no workbook does.`);
  if (!entries.some(({ name }) => name === 'xl/workbook.xml')) {
    refuse('this is a ZIP archive, but no Excel workbook (.xlsx).');
  }
  let left = limits.bytesMax;
  for (const entry of entries) {
    const bytes = unpackedBytes(content, entry, left);
    if (bytes === 'damaged') refuse('this workbook is damaged. Save it again in Excel.');
    if (bytes === 'too-large') {
      refuse(`it unpacks to more than ${Math.floor(limits.bytesMax / MB)} MB. Split it into smaller files.`);
    }
    left -= Number(bytes);
  }
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly offset: number;
}

/** Null when the archive has no directory that can be read. */
function readDirectory(content: Buffer): Entry[] | null {
  const from = Math.max(0, content.length - END_BYTES - COMMENT_BYTES_MAX);
  let end = content.length - END_BYTES;
  while (end >= from && content.readUInt32LE(end) !== END) end -= 1;
  if (end < from || end < 0) return null;
  const entries: Entry[] = [];
  let at = content.readUInt32LE(end + 16);
  for (let left = content.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (at + ENTRY_BYTES > content.length || content.readUInt32LE(at) !== ENTRY) return null;
    const nameBytes = content.readUInt16LE(at + 28);
    entries.push({
      name: content.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: content.readUInt16LE(at + 10),
      packedBytes: content.readUInt32LE(at + 20),
      offset: content.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameBytes + content.readUInt16LE(at + 30) + content.readUInt16LE(at + 32);
  }
  return entries;
}

function unpackedBytes(
  content: Buffer,
  { method, packedBytes, offset }: Entry,
  max: number,
): number | 'damaged' | 'too-large' {
  if (offset + LOCAL_BYTES > content.length) return 'damaged';
  const start = offset + LOCAL_BYTES + content.readUInt16LE(offset + 26) + content.readUInt16LE(offset + 28);
  const packed = content.subarray(start, start + packedBytes);
  if (packed.length < packedBytes) return 'damaged';
  if (method === STORED) return packedBytes > max ? 'too-large' : packedBytes;
  if (method !== DEFLATED) return 'damaged';
  if (packedBytes === 0) return 'damaged';
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, max) }).length;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'damaged';
  }
}
