import { isAscii, isUtf8 } from 'node:buffer';

/** How the bytes of a file become text. `undecided` becomes one of the others at the first row that isn't ASCII. */
export type TextEncoding = 'utf-8' | 'undecided' | 'windows-1252';

/**
 * A block as text in which quotes, delimiters and line ends can be found.
 *
 * `bytes` means one character for each byte: such text is split first, and each row that isn't ASCII is
 * decoded on its own, so that a wrong byte costs only its row.
 */
export interface BlockText {
  readonly text: string;
  readonly kind: 'ascii' | 'utf-8' | 'bytes';
}

export function blockText(block: Buffer, encoding: TextEncoding): BlockText {
  if (isAscii(block)) return { text: block.toString('latin1'), kind: 'ascii' };
  if (encoding !== 'windows-1252' && isUtf8(block)) return { text: block.toString('utf8'), kind: 'utf-8' };
  return { text: block.toString('latin1'), kind: 'bytes' };
}

export function byteLength({ text, kind }: BlockText, end: number): number {
  return kind === 'utf-8' ? Buffer.byteLength(text.slice(0, end)) : end;
}

export function isUtf8Bytes(bytesText: string): boolean {
  return isUtf8(Buffer.from(bytesText, 'latin1'));
}

/** Bytes that are not UTF-8 become U+FFFD. */
export function decodeUtf8(bytesText: string): string {
  return Buffer.from(bytesText, 'latin1').toString('utf8');
}

// Node 20's TextDecoder decodes these 32 bytes as Latin-1, so the table of the WHATWG standard is kept here.
const WINDOWS_1252_FROM_0X80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

export function decodeWindows1252(bytesText: string): string {
  return bytesText.replace(/[\x80-\x9f]/g, fromWindows1252);
}

function fromWindows1252(byte: string): string {
  return WINDOWS_1252_FROM_0X80.charAt(byte.charCodeAt(0) - 0x80);
}
