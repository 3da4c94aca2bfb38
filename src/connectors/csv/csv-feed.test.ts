import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceRow } from '../../domain/source.ts';
import { createAgent, type SourceAgent } from '../http/create-agent.ts';
import { csvFeed } from './csv-feed.ts';
import type { CsvFeed } from './csv-feed.ts';

const COLUMNS = [
  { name: 'vin', header: 'VIN', required: true },
  { name: 'make', header: 'Make', required: true },
  { name: 'notes_instructions', header: 'Notes / Instructions' },
  { name: 'to_field', header: 'To', aliases: ['Destination'] },
] as const;

let agent: SourceAgent;
let server: Server;
let answer: RequestListener;
let origin: string;

beforeEach(async () => {
  agent = createAgent();
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function serve(body: string | Buffer, headers: Record<string, string | number> = {}, status = 200): void {
  answer = (_request, response) => response.writeHead(status, headers).end(body);
}

async function fetchAll(options: Partial<CsvFeed> = {}, url: unknown = `${origin}/report?key=secret`) {
  const feed = csvFeed({ table: 'vehicles', setting: 'VEHICLES_URL', columns: COLUMNS, ...options });
  const context = {
    settings: { VEHICLES_URL: url },
    window: null,
    since: null,
    marks: {},
    today: '2026-11-23',
    full: false,
    http: agent,
    signal: new AbortController().signal,
  };
  const rows: SourceRow[] = [];
  const drift: string[] = [];
  const pageSizes: number[] = [];
  for await (const page of feed.fetchPages(context, null)) {
    expect(page.nextCursor).toBeNull();
    rows.push(...page.rows);
    drift.push(...(page.drift ?? []));
    pageSizes.push(page.rows.length);
  }
  return { rows, drift, pageSizes };
}

async function read(body: string | Buffer, options: Partial<CsvFeed> = {}) {
  serve(body);
  return fetchAll(options);
}

async function failureOf(body: string | Buffer, options: Partial<CsvFeed> = {}) {
  serve(body);
  return fetchAll(options).catch((error: unknown) => error);
}

function failure(code: string, ...parts: string[]) {
  const message = parts.map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('.*');
  return expect.objectContaining({ code, message: expect.stringMatching(message) });
}

/** Line and reason of every unreadable row. */
function unreadable(rows: readonly SourceRow[]) {
  return rows.flatMap((row) => (row.unreadable === undefined ? [] : [[row.position, row.unreadable]]));
}

describe('rows', () => {
  test('cells get their names by position when there is no header', async () => {
    const { rows, drift } = await read('V1,Audi,"a ""note""",LA\nV2,BMW,,\n');
    expect(drift).toEqual([]);
    expect(
      rows.map(({ position, values, cells, raw, unreadable: why }) => ({
        position,
        values,
        cells,
        raw,
        unreadable: why,
      })),
    ).toEqual([
      {
        position: 1,
        values: { vin: 'V1', make: 'Audi', notes_instructions: 'a "note"', to_field: 'LA' },
        cells: ['V1', 'Audi', 'a "note"', 'LA'],
        raw: 'V1,Audi,"a ""note""",LA',
        unreadable: undefined,
      },
      {
        position: 2,
        values: { vin: 'V2', make: 'BMW', notes_instructions: '', to_field: '' },
        cells: ['V2', 'BMW', '', ''],
        raw: 'V2,BMW,,',
        unreadable: undefined,
      },
    ]);
  });

  test('a header frees the order, whatever its case, spaces and underscores; unknown columns are drift', async () => {
    const { rows, drift } = await read(
      '\ufeffdestination,NOTES_INSTRUCTIONS, make ,Colour,Vin,\r\nLA,n,Audi,red,V1,\r\n',
    );
    expect(rows.map(({ position, values }) => ({ position, values }))).toEqual([
      { position: 2, values: { vin: 'V1', make: 'Audi', notes_instructions: 'n', to_field: 'LA' } },
    ]);
    expect(drift).toEqual(['Colour', 'column 6']);
  });

  test('the real column comes before an alias of it', async () => {
    const { rows, drift } = await read('Destination,VIN,Make,To\nalias,V1,Audi,real\n');
    expect(rows[0]?.values['to_field']).toBe('real');
    expect(drift).toEqual(['Destination']);
  });

  test('a first row with fewer than half known names is a row', async () => {
    expect((await read('VIN,x,y,z\nV1,Audi,,\n')).rows).toHaveLength(2);
  });

  test('an optional column that the header lacks is empty', async () => {
    const { rows } = await read('VIN,Make\nV1,Audi\n');
    expect(rows[0]?.values).toEqual({ vin: 'V1', make: 'Audi', notes_instructions: '', to_field: '' });
  });

  test('pages have at most the wanted number of rows, and end earlier when rows are very long', async () => {
    const lines = Array.from({ length: 2500 }, (_, at) => `V${at},Audi,,\n`).join('');
    expect((await read(lines, { pageRows: 1000 })).pageSizes).toEqual([1000, 1000, 500]);
    expect((await read(lines, { pageRows: 1250 })).pageSizes).toEqual([1250, 1250]);
    const long = `V1,Audi,${'x'.repeat(1_000_000)},\n`.repeat(70);
    expect((await read(long)).pageSizes).toEqual([34, 34, 2]);
  });

  test('an empty body and a lone header are no rows, and the header can still have drifted', async () => {
    for (const body of ['', '\r\n\r\n', 'VIN,Make,Notes / Instructions,To']) {
      expect(await read(body)).toEqual({ rows: [], drift: [], pageSizes: [0] });
    }
    expect((await read('VIN,Make,New\n')).drift).toEqual(['New']);
  });

  test('Windows-1252 is read where the feed allows it', async () => {
    const body = Buffer.from('V1,Citroën,,\n', 'latin1');
    expect(unreadable((await read(body)).rows)).toEqual([[1, 'contains bytes that are not UTF-8']]);
    const { rows } = await read(body, { encodingFallback: 'windows-1252' });
    expect(rows[0]?.values['make']).toBe('Citroën');
  });
});

describe('bad rows', () => {
  test('without a header, too many or too few cells cost the row', async () => {
    const { rows, drift } = await read('V1,Audi,,\nV2,BMW,\nV3,VW,,,\nV4,Kia,,\n');
    expect(unreadable(rows)).toEqual([
      [2, 'has 3 cells, the feed has 4'],
      [3, 'has 5 cells, the feed has 4'],
    ]);
    expect(rows[1]).toMatchObject({ values: {}, raw: 'V2,BMW,' });
    expect(drift).toEqual([]);
  });

  test('with a header, another number of cells than it has costs the row', async () => {
    const { rows } = await read('VIN,Make,New\nV1,Audi,x\nV2,BMW\n');
    expect(unreadable(rows)).toEqual([[3, 'has 2 cells, the header has 3']]);
  });

  test('when all rows have more cells by the same number, that is drift at their end', async () => {
    const { rows, drift } = await read('V1,Audi,,,x,y\nV2,BMW,,,x,y\n');
    expect(drift).toEqual(['column 5', 'column 6']);
    expect(unreadable(rows)).toEqual([]);
    expect(rows[1]?.values).toEqual({ vin: 'V2', make: 'BMW', notes_instructions: '', to_field: '' });
  });

  test('what the first block shows about the width is kept for the rest of the file', async () => {
    const { rows, drift } = await read(`${'V1,Audi,,,x\n'.repeat(50_000)}V2,BMW,,\n`);
    expect(drift).toEqual(['column 5']);
    expect(unreadable(rows)).toEqual([[50_001, 'has 4 cells, the other rows have 5']]);
  });

  test('long rows do not shorten the sample that decides', async () => {
    const long = `V1,Audi,${'x'.repeat(100_000)},,\n`;
    const { rows, drift } = await read(`${long.repeat(4)}${'V2,BMW,,\n'.repeat(100)}`);
    expect(drift).toEqual([]);
    expect(unreadable(rows).map(([position]) => position)).toEqual([1, 2, 3, 4]);
  });

  test('a NUL, a wrong byte, wrong quoting and a 10 MB field cost their rows and no other', async () => {
    const parts = ['V1,Audi,,\nV2,A\0udi,,\nV3,', Buffer.from([0xff]), ',,\nV4,"Au"di,,\nV5,Audi,"'];
    const body = Buffer.concat(
      [...parts, 'x\n'.repeat(5 * 1024 * 1024), '",\nV6,Audi,,\n'].map((p) => Buffer.from(p)),
    );
    const { rows } = await read(body);
    expect(rows).toHaveLength(6);
    expect(unreadable(rows)).toEqual([
      [2, 'contains a NUL byte'],
      [3, 'contains bytes that are not UTF-8'],
      [4, 'text follows the closing quote of cell 2'],
      [5, 'cell 3 has 10485760 bytes, more than 1048576'],
    ]);
    expect(rows[5]?.values['vin']).toBe('V6');
  });
});

describe('files that fail as a whole', () => {
  test('a header without a required column names it, the file and what was found', async () => {
    expect(await failureOf('VIN,To,New\nV1,LA,x\n')).toEqual(
      failure(
        'MissingColumn',
        `VEHICLES_URL (${origin}): the header on line 1 lacks`,
        "'Make'",
        'VIN, To, New',
      ),
    );
  });

  test('a wrong delimiter is named, with and without header, quoted or not', async () => {
    const bodies = [
      'V1;Audi;a, b;LA\nV2;BMW;;\n',
      'vin;MAKE;Something\nV1;Audi;x\n',
      '"V1";"Audi";"";"LA"\n',
    ];
    for (const body of bodies) {
      expect(await failureOf(body)).toEqual(
        failure('FileUnreadable', 'VEHICLES_URL', "line 1 looks separated by ';'", "expects ','"),
      );
    }
    expect(await failureOf('V1\tAudi\t\tLA\n')).toEqual(failure('FileUnreadable', 'separated by tabs'));
    expect(await failureOf('V1,Audi,,LA\n', { delimiter: '|' })).toEqual(
      failure('FileUnreadable', "separated by ','", "expects '|'"),
    );
  });

  test.each([
    ['<!DOCTYPE html><html><head><title>\n Sign in </title>', 'an HTML page titled "Sign in"'],
    ['\r\n<html><body>a,b,c,d</body></html>\n', 'an HTML page'],
    ['<?xml version="1.0"?><Error><Code>Denied</Code></Error>', 'an XML document'],
    ['{"error": "token abc expired", "code": 1, "a": 2, "b": 3}', 'a JSON answer with error, code, a, b'],
    ['[{"vin": "V1"}]', 'a JSON answer with vin'],
    ['%PDF-1.7\n', 'a PDF document'],
    ['PK\x03\x04rest', 'a zip archive or an Excel workbook'],
    [Buffer.from('\ufeffV1,Audi,,\n', 'utf16le'), 'UTF-16 text'],
  ])('%j is told apart from CSV', async (body, name) => {
    const failed = await failureOf(body);
    expect(failed).toEqual(
      failure('FileUnreadable', `VEHICLES_URL (${origin}): this is ${name}, not a CSV file`),
    );
    expect(String(failed)).not.toContain('abc');
  });

  test('an answer without a single row of a plausible size is not an empty table', async () => {
    expect(await failureOf('Report not found')).toEqual(
      failure('FileUnreadable', 'no row has the 4 cells of this feed; line 1 has 1'),
    );
    expect(await failureOf('\na,b\nc,d\n')).toEqual(failure('FileUnreadable', 'line 2 has 2'));
  });

  test('a last line without a line end and with too few cells is a truncated file', async () => {
    const cut = failure('SourceTruncated', `VEHICLES_URL (${origin}): the last line (2)`, '2 of 4 cells');
    expect(await failureOf('V1,Audi,,\nV2,B')).toEqual(cut);
    expect(await failureOf('VIN,Make,To,Notes_Instructions\nV1,A')).toEqual(cut);
    expect(await failureOf('V1,A')).toEqual(failure('SourceTruncated', 'the last line (1)'));
    expect(await failureOf('VIN,Notes_Instructions,M')).toEqual(
      failure('SourceTruncated', 'inside its header'),
    );
    expect((await read('V1,Audi,,\nV2,BMW,,')).rows).toHaveLength(2);
  });

  test('a quote that is never closed is a truncated file', async () => {
    expect(await failureOf('V1,Audi,,\nV2,"Audi,,\nV3,BMW,,\n')).toEqual(
      failure('SourceTruncated', 'VEHICLES_URL', 'the quote opened on line 2 is never closed'),
    );
  });
});

describe('the way over HTTP', () => {
  test('a missing address says which variable to set', async () => {
    const message = 'vehicles: no URL configured. Set VEHICLES_URL.';
    for (const url of [undefined, '', ' ']) {
      const failed = await fetchAll({}, url ?? null).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'SourceNotConfigured', message });
    }
  });

  test('gzip is read by header and by content', async () => {
    for (const encoding of ['gzip', 'identity']) {
      serve(gzipSync('V1,Audi,,\n'), { 'content-encoding': encoding });
      expect((await fetchAll()).rows).toHaveLength(1);
    }
  });

  test.each([
    [401, 'SourceUnauthorized'],
    [404, 'SourceNotFound'],
    [429, 'SourceThrottled'],
    [500, 'SourceUnavailable'],
  ])('status %i fails the table as %s, even with rows in the body', async (status, code) => {
    serve('V1,Audi,,\n', {}, status);
    const failed = await fetchAll().catch((error: unknown) => error);
    expect(failed).toEqual(failure(code, `VEHICLES_URL (${origin}): answered ${status}`));
  });

  test('a throttled feed carries the wait that was asked for', async () => {
    serve('', { 'retry-after': '3' }, 429);
    await expect(fetchAll()).rejects.toMatchObject({ code: 'SourceThrottled', retryAfterMs: 3000 });
  });

  test('a redirect loop, a body cut short, slow headers and a stalled body fail the table', async () => {
    const fails = async (code: string) => {
      const options = { headersTimeoutMs: 200, bodyIdleTimeoutMs: 200 };
      expect(await fetchAll(options).catch((error: unknown) => error)).toEqual(failure(code, 'VEHICLES_URL'));
    };
    serve('', { location: '/report?key=secret' }, 302);
    await fails('SourceRedirectLoop');
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('V1,Audi,,\n', () => response.destroy());
    };
    await fails('SourceTruncated');
    serve(gzipSync('V1,Audi,,\n'.repeat(1000)).subarray(0, 40), { 'content-encoding': 'gzip' });
    await fails('SourceTruncated');
    answer = () => {};
    await fails('SourceUnavailable');
    answer = (_request, response) => void response.writeHead(200).write('V1,Audi,,\n');
    await fails('SourceUnavailable');
  });
});
