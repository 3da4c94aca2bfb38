import { SyncFailure } from '../../domain/failures.ts';
import type { CsvRecord } from './csv-record.ts';
import { RecordScanner } from './record-scanner.ts';

export type CsvDelimiter = ',' | ';' | '\t' | '|';

export interface ReadOptions {
  /** How errors name the file. */
  readonly source: string;
  readonly delimiter?: CsvDelimiter;
  /** A row with a larger cell is unreadable. */
  readonly maxFieldBytes?: number;
  /** A record that takes up more than this fails the file. */
  readonly maxRecordBytes?: number;
  /**
   * What a file is taken for when its first row that isn't ASCII isn't UTF-8 either. That row decides for the
   * whole file: the rows before it read the same both ways, so nothing has to be read twice, and one wrong byte
   * further down doesn't turn a UTF-8 file into something else.
   */
  readonly encodingFallback?: 'windows-1252';
}

/** Small, so that the records of a block are gone before V8 has to move them: that halves the time of parsing. */
const BLOCK_BYTES = 64 * 1024;
const MAX_FIELD_BYTES = 1024 * 1024;
const MAX_RECORD_BYTES = 32 * 1024 * 1024;
const LINE_END = 10;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a CSV file (RFC 4180, LF or CRLF) as blocks of records, in constant memory. Blank lines are skipped. A
 * record that can't be split or decoded is a record with a reason, and reading goes on with the next line.
 *
 * Why our own reader: a wrong line must cost only that line. That takes the line number and the own text of
 * every record, going on at the next physical line after wrong quoting, a limit on what an open quote can
 * swallow, and decoding row by row where a block has wrong bytes. Papaparse and csv-parse each lack some of
 * these, and csv-parse is too slow.
 *
 * @throws SyncFailure SourceTruncated when the file ends inside quotes, FileUnreadable when a record, or a
 *   quote that is never closed, goes on for more than `maxRecordBytes`
 */
export async function* readRecords(
  chunks: AsyncIterable<Buffer>,
  options: ReadOptions,
): AsyncGenerator<CsvRecord[], void, undefined> {
  const { source, maxRecordBytes = MAX_RECORD_BYTES } = options;
  const scanner = new RecordScanner({
    delimiter: options.delimiter ?? ',',
    maxFieldBytes: options.maxFieldBytes ?? MAX_FIELD_BYTES,
    encoding: options.encodingFallback === undefined ? 'utf-8' : 'undecided',
  });
  let carried: Buffer[] = [];
  let carriedBytes = 0;
  let scanAtBytes = BLOCK_BYTES;
  let atStart = true;

  for await (const chunk of chunks) {
    carried.push(chunk);
    carriedBytes += chunk.length;
    if (carriedBytes < scanAtBytes) continue;

    const buffer = join(carried, atStart);
    atStart = false;
    const { records, consumedBytes, quoteOpenedOn } = scanner.scan(
      buffer.subarray(0, buffer.lastIndexOf(LINE_END) + 1),
    );
    const rest = buffer.subarray(consumedBytes);
    if (rest.length > maxRecordBytes) {
      const mebibytes = Math.round(maxRecordBytes / 1024 / 1024);
      throw new SyncFailure(
        'FileUnreadable',
        quoteOpenedOn === null
          ? `${source}: line ${scanner.line} does not end within ${mebibytes} MB. Check that this is a CSV file.`
          : `${source}: the quote opened on line ${quoteOpenedOn} is never closed. Correct that line.`,
      );
    }
    carried = [rest];
    carriedBytes = rest.length;
    // A record that goes on is read again from its start, so only once it has doubled.
    scanAtBytes = Math.max(BLOCK_BYTES, Math.min(rest.length * 2, maxRecordBytes + BLOCK_BYTES));
    if (records.length > 0) yield records;
  }

  const { records, quoteOpenedOn } = scanner.scan(join(carried, atStart));
  if (quoteOpenedOn !== null) {
    throw new SyncFailure(
      'SourceTruncated',
      `${source}: the file ends inside quotes; the quote opened on line ${quoteOpenedOn} is never closed. It is fetched again.`,
    );
  }
  if (records.length > 0) yield records;
}

function join(carried: readonly Buffer[], atStart: boolean): Buffer {
  const buffer = Buffer.concat(carried);
  const hasMark = atStart && buffer.subarray(0, 3).equals(BYTE_ORDER_MARK);
  return hasMark ? buffer.subarray(3) : buffer;
}
