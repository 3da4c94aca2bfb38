const FIRST_BYTES = 1024;
const DIGITS_MAX = 16;
const ZERO = 48;
/** The most bytes of UTF-8 that one UTF-16 unit takes up. */
const BYTES_OF_A_UNIT = 3;

/** Bytes that grow as they are written. */
export class CopyBytes {
  /** Everything up to `length` is written; the rest is room. */
  bytes: Buffer = Buffer.alloc(0);
  length = 0;

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    if (this.bytes.length - this.length >= count) return;
    const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.bytes.length * 2, this.length + count));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  write(text: string): void {
    this.reserve(text.length * BYTES_OF_A_UNIT);
    this.length += this.bytes.write(text, this.length);
  }

  /** @param byte as a number from 0 to 255 */
  writeByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  /** @param count a whole number, not negative */
  writeCount(count: number): void {
    this.reserve(DIGITS_MAX);
    let digits = 1;
    for (let bound = 10; count >= bound; bound *= 10) digits += 1;
    let rest = count;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      this.bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.length += digits;
  }

  /** Gives everything written and begins anew. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = this.bytes.subarray(this.length);
    this.length = 0;
    return taken;
  }
}
