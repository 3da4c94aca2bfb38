/**
 * Readers that check a cell as it lies in its file and write it for COPY in one go, byte by byte. They know the usual
 * form of a cell and leave every other to the readers of ./columns.ts, which take several times as long.
 */
import type { CopyBytes } from '../db/copy-bytes.ts';

/**
 * Writes the cell from `from` up to `to`.
 *
 * @returns `null` for an empty cell, which writes nothing; `other` for one that it can't judge, and what was written
 *   is to be undone then
 */
export type CopyCell = (
  out: CopyBytes,
  bytes: Buffer,
  from: number,
  to: number,
) => 'written' | 'null' | 'other';

const SPACE = 0x20;
const COMMA = 0x2c;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_N = 0x4e;
const BACKSLASH = 0x5c;
const LOWER_A = 0x61;
const LOWER_N = 0x6e;
const LOWER_Z = 0x7a;
const NOT_ASCII = 0x80;
const TO_UPPER = 0x20;

/** Whether text may begin and end with this byte and keep it when it is trimmed. */
const isVisible = (byte: number | undefined): boolean =>
  byte !== undefined && byte > SPACE && byte < NOT_ASCII;

/** Whether a text is short and begins as the words for "no value" do. */
function mayBeNoValue(first: number | undefined, length: number): boolean {
  return (length === 3 || length === 4) && (first === UPPER_N || first === LOWER_N);
}

const isText = (bytes: Buffer, from: number, to: number): boolean =>
  isVisible(bytes[from]) && isVisible(bytes[to - 1]) && !mayBeNoValue(bytes[from], to - from);

/** Text as it is. */
export const copyText: CopyCell = (out, bytes, from, to) => {
  if (from === to) return 'null';
  if (!isText(bytes, from, to)) return 'other';
  out.reserve(to - from);
  const target = out.bytes;
  let length = out.length;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < SPACE || byte === BACKSLASH) return 'other';
    target[length] = byte;
    length += 1;
  }
  out.length = length;
  return 'written';
};

/** Text that is no number with a fraction. */
export function copyIdentifier(bytesMax: number): CopyCell {
  return (out, bytes, from, to) => {
    if (to - from > bytesMax) return 'other';
    for (let at = from; at < to; at += 1) if (bytes[at] === DOT) return 'other';
    return copyText(out, bytes, from, to);
  };
}

/** ASCII letters, digits and signs, upper-cased. */
export function copyUpper(bytesMax: number): CopyCell {
  return (out, bytes, from, to) => {
    if (to - from > bytesMax) return 'other';
    const start = out.length;
    const outcome = copyText(out, bytes, from, to);
    if (outcome !== 'written') return outcome;
    const target = out.bytes;
    for (let at = start; at < out.length; at += 1) {
      const byte = target[at] ?? 0;
      if (byte >= NOT_ASCII) return 'other';
      if (byte >= LOWER_A && byte <= LOWER_Z) target[at] = byte - TO_UPPER;
    }
    return 'written';
  };
}

/** Digits with or without commas between them, few enough for PostgreSQL's integer. */
export const copyInteger: CopyCell = (out, bytes, from, to) => {
  if (from === to) return 'null';
  out.reserve(to - from);
  const target = out.bytes;
  let length = out.length;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === COMMA) continue;
    if (byte < ZERO || byte > NINE) return 'other';
    target[length] = byte;
    length += 1;
  }
  const digits = length - out.length;
  if (digits === 0 || digits > 9) return 'other';
  out.length = length;
  return 'written';
};

const DATE_BYTES = 10;
const DAYS_OF_ANY_MONTH = 28;

const digitAt = (bytes: Buffer, at: number): number => {
  const byte = bytes[at] ?? 0;
  return byte >= ZERO && byte <= NINE ? byte - ZERO : -1;
};

/** `MM/DD/YY` and `MM-DD-YY`, also with one digit for month or day, and years of four digits from 1000. */
export const copyDate: CopyCell = (out, bytes, from, to) => {
  if (from === to) return 'null';
  let at = from;
  let month = digitAt(bytes, at);
  at += 1;
  if (digitAt(bytes, at) >= 0) {
    month = month * 10 + digitAt(bytes, at);
    at += 1;
  }
  const sign = bytes[at];
  at += 1;
  let day = digitAt(bytes, at);
  at += 1;
  if (digitAt(bytes, at) >= 0) {
    day = day * 10 + digitAt(bytes, at);
    at += 1;
  }
  const isFramed = (sign === SLASH || sign === DASH) && bytes[at] === sign;
  at += 1;
  if (!isFramed || month < 1 || month > 12 || day < 1 || day > DAYS_OF_ANY_MONTH) return 'other';
  const digits = to - at;
  if (digits !== 2 && digits !== 4) return 'other';
  let year = 0;
  for (; at < to; at += 1) {
    const digit = digitAt(bytes, at);
    if (digit < 0) return 'other';
    year = year * 10 + digit;
  }
  if (digits === 2) year += year < 70 ? 2000 : 1900;
  if (year < 1000) return 'other';
  out.reserve(DATE_BYTES);
  const target = out.bytes;
  const start = out.length;
  target[start] = ZERO + Math.floor(year / 1000);
  target[start + 1] = ZERO + (Math.floor(year / 100) % 10);
  target[start + 2] = ZERO + (Math.floor(year / 10) % 10);
  target[start + 3] = ZERO + (year % 10);
  target[start + 4] = DASH;
  target[start + 5] = ZERO + Math.floor(month / 10);
  target[start + 6] = ZERO + (month % 10);
  target[start + 7] = DASH;
  target[start + 8] = ZERO + Math.floor(day / 10);
  target[start + 9] = ZERO + (day % 10);
  out.length = start + DATE_BYTES;
  return 'written';
};
