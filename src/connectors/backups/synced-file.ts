import { type FileHandle, open } from 'node:fs/promises';
import { Writable } from 'node:stream';

const BUFFER_BYTES = 256 * 1024;

/** A new file (mode 600) that has finished only when it is on disk. */
export class SyncedFile extends Writable {
  readonly #path: string;
  #handle: FileHandle | undefined;

  constructor(path: string) {
    super({ highWaterMark: BUFFER_BYTES });
    this.#path = path;
  }

  override _construct(done: (error?: Error | null) => void): void {
    open(this.#path, 'wx', 0o600).then((handle) => {
      this.#handle = handle;
      done();
    }, done);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll([chunk]).then(() => done(), done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#writeAll(chunks.map(({ chunk }) => chunk)).then(() => done(), done);
  }

  async #writeAll(chunks: readonly Buffer[]): Promise<void> {
    // A disk that fills takes part of a write before it refuses the rest.
    for (let left = Buffer.concat(chunks); left.length > 0;) {
      const written = (await this.#handle?.write(left))?.bytesWritten ?? 0;
      left = left.subarray(written);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    (this.#handle?.sync() ?? Promise.resolve()).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    (this.#handle?.close() ?? Promise.resolve()).then(() => done(error), done);
  }
}
