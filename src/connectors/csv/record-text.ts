import { isAscii, isUtf8 } from 'node:buffer';

/** How the bytes of a file become text. `undecided` becomes one of the others at the first row that isn't ASCII. */
export type TextEncoding = 'utf-8' | 'undecided' | 'windows-1252';

/**
 * How a block becomes text in which quotes, delimiters and line ends can be found.
 *
 * `bytes` means one character for each byte: such text is split first, and each row that isn't ASCII is
 * decoded on its own, so that a wrong byte costs only its row.
 */
export type BlockKind = 'ascii' | 'utf-8' | 'bytes';

export function blockKind(block: Buffer, encoding: TextEncoding): BlockKind {
  if (isAscii(block)) return 'ascii';
  return encoding !== 'windows-1252' && isUtf8(block) ? 'utf-8' : 'bytes';
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
