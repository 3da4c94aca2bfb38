import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import type { CsvRecord } from './csv-record.ts';
import { readRecords } from './read-records.ts';
import type { ReadOptions } from './read-records.ts';

const SPECTRUM = new URL('../../../../shared/contracts/csv-spectrum/', import.meta.url);
const SPECTRUM_CASES = [
  'comma_in_quotes',
  'empty',
  'empty_crlf',
  'escaped_quotes',
  'json',
  'newlines',
  'newlines_crlf',
  'quotes_and_newlines',
  'simple',
  'simple_crlf',
  'utf8',
];

type Content = string | Buffer;

async function* inChunks(content: Content, chunkBytes = 65_536): AsyncGenerator<Buffer> {
  const file = Buffer.from(content);
  for (let at = 0; at < file.length; at += chunkBytes) yield file.subarray(at, at + chunkBytes);
}

async function read(content: Content | AsyncIterable<Buffer>, options: Partial<ReadOptions> = {}) {
  const chunks = typeof content === 'string' || Buffer.isBuffer(content) ? inChunks(content) : content;
  const records: CsvRecord[] = [];
  for await (const block of readRecords(chunks, { source: 'FILE', ...options })) {
    for (const record of block) records.push(record);
  }
  return records;
}

async function cellsOf(content: Content, options?: Partial<ReadOptions>) {
  return (await read(content, options)).map(({ cells }) => cells);
}

function bytes(...parts: (string | number)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))),
  );
}

/** Line, and 'ok' or the reason, of each record. */
async function verdicts(content: Content, options?: Partial<ReadOptions>) {
  return (await read(content, options)).map(({ position, unreadable }) => [position, unreadable ?? 'ok']);
}

/** Everything about each record, or why the file can't be read; lines are counted from `fromLine`. */
async function outcome(content: string, fromLine = 0): Promise<unknown[]> {
  try {
    const records = await read(content);
    return records.map(({ position, cells, raw, unreadable, endsWithoutLineEnd }) => ({
      position: position + fromLine,
      cells,
      raw,
      unreadable,
      endsWithoutLineEnd,
    }));
  } catch (error) {
    return ['', (error as { code?: unknown }).code].slice(fromLine);
  }
}

describe('well-formed files', () => {
  test.for(SPECTRUM_CASES)('csv-spectrum %s reads as its JSON says', async (name, { skip }) => {
    if (!existsSync(SPECTRUM) && process.env['CI'] !== 'true') skip('not run: ../shared is absent');
    const csv = await readFile(new URL(`csvs/${name}.csv`, SPECTRUM));
    const expected: unknown = JSON.parse(await readFile(new URL(`json/${name}.json`, SPECTRUM), 'utf8'));
    const [header = [], ...rows] = await cellsOf(csv);
    expect(rows.map((row) => Object.fromEntries(header.map((key, at) => [key, row[at]])))).toEqual(expected);
  });

  test('any file reads the same with a quick look at its records and with a closer one', async () => {
    const piece = fc.constantFrom('a', 'é', ',', '"', '""', '\n', '\r\n', '\r', ' ', '","', '"x\ny"', ',bb,');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const content = pieces.join('');
        // Behind a wrong record, a closer look is taken at every one.
        const closer = await outcome(`"wrong"x,1\n${content}`);
        expect(await outcome(content, 1)).toEqual(closer.slice(1));
      }),
      { numRuns: 1_000 },
    );
  });

  test('any well-formed file reads as papaparse reads it, however it is cut into chunks', async () => {
    const cell = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'é', '漢', '😀', ' ', ',', ';', '"', '\n', '\r\n'),
        maxLength: 6,
      }),
      fc.constantFrom('', '5" pipe', '""'),
    );
    const file = fc.record({
      rows: fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
      newline: fc.constantFrom('\n', '\r\n'),
      delimiter: fc.constantFrom(',' as const, ';' as const),
      quotes: fc.boolean(),
      mark: fc.constantFrom('', '\ufeff'),
      chunkBytes: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ rows, newline, delimiter, quotes, mark, chunkBytes }) => {
        const csv = Papa.unparse(rows, { newline, delimiter, quotes }) + newline;
        const expected = Papa.parse<string[]>(csv, { delimiter, newline, skipEmptyLines: true }).data;
        const records = await read(inChunks(mark + csv, chunkBytes), { delimiter });
        expect(records.map(({ cells }) => cells)).toEqual(expected);
        expect(records.map(({ raw }) => raw).join(newline) + newline).toBe(csv);
      }),
      { numRuns: 500 },
    );
  });

  test('a file of many blocks reads the same as in one piece, with every line number', async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, at) => `${at},"Jőhn, ""J""\r\nSmith ${at}",plain text é,x`,
    );
    const records = await read(inChunks(`${rows.join('\n')}\n`, 1000));
    expect(records).toHaveLength(20_000);
    expect(records.map(({ raw }) => raw)).toEqual(rows);
    expect(records.every(({ position }, at) => position === at * 2 + 1)).toBe(true);
    expect(records.at(-1)?.cells).toEqual(['19999', 'Jőhn, "J"\r\nSmith 19999', 'plain text é', 'x']);
  });

  test('mixed line ends, blank lines and a byte order mark leave no trace in the cells', async () => {
    const records = await read('\ufeffa,b\r\n\r\n1,2\n   \n\n3,4\r\n');
    expect(records.map(({ position, cells }) => [position, ...cells])).toEqual([
      [1, 'a', 'b'],
      [3, '1', '2'],
      [6, '3', '4'],
    ]);
  });

  test('a quote inside an unquoted cell is a character like any other', async () => {
    expect(await cellsOf('1,5" pipe,x\n2,a"b"c,"y"\n')).toEqual([
      ['1', '5" pipe', 'x'],
      ['2', 'a"b"c', 'y'],
    ]);
  });

  test('only a last record without a line end says so', async () => {
    const ends = async (csv: string) => (await read(csv)).map((record) => record.endsWithoutLineEnd);
    expect(await ends('a,b\n1,2')).toEqual([false, true]);
    expect(await ends('a,b\n1,"2"')).toEqual([false, true]);
    expect(await ends('a,b\n1,2\n')).toEqual([false, false]);
  });

  test('an empty file has no records', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('\ufeff')).toEqual([]);
  });
});

describe('wrong quoting', () => {
  test('text after a closing quote costs its line and no other', async () => {
    expect(await verdicts('1,a\n"abc"def,2\n3,"b"\n')).toEqual([
      [1, 'ok'],
      [2, 'text follows the closing quote of cell 1'],
      [3, 'ok'],
    ]);
  });

  test('a quote that swallows lines before it turns out wrong costs only the line it is on', async () => {
    const records = await read('1,"abc,2\n3,x,y\n4,"def",z\n5,u,v\n');
    expect(records.map(({ position, unreadable }) => [position, unreadable !== undefined])).toEqual([
      [1, true],
      [2, false],
      [3, false],
      [4, false],
    ]);
    expect(records[0]?.raw).toBe('1,"abc,2');
    expect(records.slice(1).map(({ cells }) => cells)).toEqual([
      ['3', 'x', 'y'],
      ['4', 'def', 'z'],
      ['5', 'u', 'v'],
    ]);
  });

  test('lines that were read ahead of a wrong one are read again from their own start', async () => {
    expect(await verdicts('a,"x\ny",c,"d"e\nz,"w"\n')).toEqual([
      [1, 'text follows the closing quote of cell 4'],
      [2, 'text follows the closing quote of cell 3'],
      [3, 'ok'],
    ]);
  });

  test('many lines that each leave a quote open are read once, not once for each of them', async () => {
    const lines = 40_000;
    const startedAt = performance.now();
    const records = await read(`${'x","""\n'.repeat(lines)}"z"z\nlast,line\n`);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(records).toHaveLength(lines + 2);
    expect(records.at(-1)?.cells).toEqual(['last', 'line']);
  });

  test('a quote that is open at the end of the file is a truncated file, and names its line', async () => {
    await expect(read('1,a\n2,"x\ny",3,"never\nclosed\n')).rejects.toMatchObject({
      code: 'SourceTruncated',
      message: expect.stringContaining(
        'FILE: the file ends inside quotes; the quote opened on line 3 is never',
      ),
    });
  });

  test('a quote that is still open after the limit fails the file before all of it is read', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('1,a\n2,"open\n');
      for (;;) {
        given += 1;
        yield Buffer.from('no quote on this line\n'.repeat(3000));
      }
    }
    await expect(read(endless())).rejects.toMatchObject({
      code: 'FileUnreadable',
      message: expect.stringContaining('the quote opened on line 2 is never closed'),
    });
    expect((given * 66_000) / 1024 / 1024).toBeLessThan(40);
  });

  test('a line without an end fails the file after the limit', async () => {
    const options = { maxRecordBytes: 1024 * 1024 };
    await expect(read(`a,b\n${'x'.repeat(2_000_000)}`, options)).rejects.toMatchObject({
      code: 'FileUnreadable',
      message: expect.stringContaining('line 2 does not end within 1 MB'),
    });
  });
});

describe('wrong bytes and sizes', () => {
  test('a byte that is not UTF-8 costs its row, and the others keep their letters', async () => {
    const csv = bytes('1,café\n2,caf', 0xe9, '\n3,Jőhn\n');
    expect(await verdicts(csv)).toEqual([
      [1, 'ok'],
      [2, 'contains bytes that are not UTF-8'],
      [3, 'ok'],
    ]);
    const [first, second, third] = await read(csv);
    expect([first?.cells[1], second?.raw, third?.cells[1]]).toEqual(['café', '2,caf\ufffd', 'Jőhn']);
  });

  test('a NUL byte costs its row, whose text is kept in a form a database can hold', async () => {
    const records = await read('1,a\n2,b\0c\n3,d\n');
    expect(records.map(({ unreadable }) => unreadable)).toEqual([
      undefined,
      'contains a NUL byte',
      undefined,
    ]);
    expect(records[1]?.raw).toBe('2,b␀c');
  });

  test('a 10 MB field costs its row, quoted over many lines or not', async () => {
    const limit = 1024 * 1024;
    const long = 'x'.repeat(limit);
    const startedAt = performance.now();
    const records = await read(
      `1,a\n2,"${'some text\n'.repeat(limit)}"\n3,${long}x\n4,${long}\n5,${'é'.repeat(limit / 2)}é\n6,b\n`,
    );
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(records.map(({ cells, unreadable }) => [cells[0], unreadable])).toEqual([
      ['1', undefined],
      ['2', `cell 2 has ${10 * limit} bytes, more than ${limit}`],
      ['3', `cell 2 has ${limit + 1} bytes, more than ${limit}`],
      ['4', undefined],
      ['5', `cell 2 has ${limit + 2} bytes, more than ${limit}`],
      ['6', undefined],
    ]);
    expect(records.at(-1)?.position).toBe(limit + 6);
    expect(Buffer.byteLength(records[1]?.raw ?? '')).toBe(4096);
    expect(Buffer.byteLength(records[4]?.raw ?? '')).toBeLessThanOrEqual(4096);
  });

  test('a 12 MB field of quotes and lines is not read from its start again for every block', async () => {
    const lines = 400_000;
    const before = process.cpuUsage();
    const records = await read(`1,"${`${'""'.repeat(15)}\n`.repeat(lines)}"\n2,b\n`);
    // Of the processor, so that a busy machine does not count.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(6_000);
    expect(records.map(({ unreadable }) => unreadable)).toEqual([
      `cell 2 has ${16 * lines} bytes, more than 1048576`,
      undefined,
    ]);
  });

  test('the limit of a field is a setting', async () => {
    expect(await verdicts('1,abc\n2,abcd\n', { maxFieldBytes: 3 })).toEqual([
      [1, 'ok'],
      [2, 'cell 2 has 4 bytes, more than 3'],
    ]);
  });
});

describe('the fallback to Windows-1252', () => {
  const fallback = { encodingFallback: 'windows-1252' } as const;

  test('a file whose first row with letters is not UTF-8 is read as Windows-1252', async () => {
    const csv = bytes('1,plain\n2,caf', 0xe9, ' ', 0x80, 0x93, '\n3,"', 0xfc, '"\n');
    expect(await cellsOf(csv, fallback)).toEqual([
      ['1', 'plain'],
      ['2', 'café €“'],
      ['3', 'ü'],
    ]);
  });

  test('a UTF-8 file stays UTF-8, and its wrong row is unreadable', async () => {
    const csv = bytes('1,café\n2,caf', 0xe9, '\n3,ü\n');
    expect(await verdicts(csv, fallback)).toEqual([
      [1, 'ok'],
      [2, 'contains bytes that are not UTF-8'],
      [3, 'ok'],
    ]);
  });

  test('what the first block decided holds for the later ones', async () => {
    const ascii = 'plain,row\n'.repeat(40_000);
    const latin = bytes(0xe9, ',1\n', ascii, ascii, 0xe9, ',2\n');
    expect((await read(latin, fallback)).at(-1)?.cells).toEqual(['é', '2']);
    expect((await read(Buffer.concat([latin, bytes(ascii, 'é,3\n')]), fallback)).at(-1)?.cells).toEqual([
      'Ã©',
      '3',
    ]);
    const utf8 = bytes('é,1\n', ascii, ascii, 0xe9, ',2\n');
    expect((await read(utf8, fallback)).at(-1)?.unreadable).toBe('contains bytes that are not UTF-8');
  });
});
