import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** Passes everything on and knows how much it was and its SHA-256. */
export class MeasuredStream extends Transform {
  readonly #hash = createHash('sha256');
  readonly #onBytes: ((bytes: number) => void) | undefined;
  bytes = 0;

  constructor(onBytes?: (bytes: number) => void) {
    super();
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    this.#onBytes?.(chunk.length);
    done(null, chunk);
  }

  /** In hex. Once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
