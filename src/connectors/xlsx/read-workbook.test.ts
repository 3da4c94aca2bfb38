import { describe, expect, test } from 'vitest';
import { workbook, workbookOf, zip } from '../../../test/support/workbook.ts';
import { checkArchive } from './check-archive.ts';
import { readWorkbook } from './read-workbook.ts';

const columns = [
  { name: 'office', header: 'Office', required: true },
  { name: 'drivers', header: 'Drivers Per Day' },
];
const read = (content: Buffer, options: { sheet?: string; sheets?: string[] } = {}) =>
  readWorkbook(content, { source: 'a.xlsx', columns, ...options });
const values = async (content: Buffer, options?: Parameters<typeof read>[1]) =>
  (await read(content, options)).map((row) => row.values);

test('a formula is read as the value that was computed last', async () => {
  const rows = workbook([
    ['Office', 'Drivers Per Day'],
    [
      { formula: 'UPPER(&quot;la&quot;)', value: 'LA' },
      { formula: 'SUM(1,2)', value: 3 },
    ],
    ['=1+1', '2'],
  ]);
  expect(await values(rows)).toEqual([
    { office: 'LA', drivers: '3' },
    { office: '=1+1', drivers: '2' },
  ]);
});

test('dates, times and yes or no become text', async () => {
  const cells = [{ serialDay: 46_352 }, { serialTime: 0.375 }, { serialTime: 0.729166666666667 }, true];
  const rows = await values(workbook([['Office', 'Drivers Per Day'], ...cells.map((cell) => [cell, 'x'])]));
  expect(rows.map(({ office }) => office)).toEqual(['2026-11-26', '09:00', '17:30', 'true']);
});

test('a sheet is found by its name, however it is spelled, and the header below blank rows', async () => {
  const content = workbookOf({
    'Other Things': [['x']],
    'Ops Capacity': [[], ['', ''], ['office', 'DRIVERS_PER_DAY'], ['LA', 4]],
  });
  expect(await read(content, { sheet: 'ops_capacity' })).toEqual([
    { position: 4, values: { office: 'LA', drivers: '4' }, raw: 'LA,4' },
  ]);
});

describe('what can not be read is refused by name', () => {
  test.each([
    ['a PDF', Buffer.from('%PDF-1.7 …'), 'this is a PDF document, not an Excel workbook. In Excel, save it'],
    ['an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'this is an old Excel workbook'],
    ['CSV', Buffer.from('Office,Drivers\nLA,4\n'), 'this is plain text or CSV, not an Excel workbook'],
    ['nothing', Buffer.alloc(0), 'this is an empty file'],
    ['another archive', zip({ 'word/document.xml': '<a/>' }), 'a ZIP archive, but no Excel workbook'],
    ['half an archive', workbook([['Office']]).subarray(0, 500), 'cut off or damaged'],
    [
      'a sheet too few',
      workbookOf({ rules: [['Office']] }),
      "lacks the sheet 'ops_capacity'. It has 'rules'.",
    ],
    [
      'another header',
      workbookOf({ ops_capacity: [['a', 'b']] }),
      "sheet 'ops_capacity': the first row is not",
    ],
    [
      'a column too few',
      workbookOf({ ops_capacity: [['Drivers Per Day']] }),
      "lacks the required column 'Office'",
    ],
  ])('%s', async (_, content, message) => {
    await expect(read(content, { sheet: 'ops_capacity' })).rejects.toThrow(message);
  });
});

test('an archive that unpacks to too much is refused before it is unpacked, whatever it says of itself', () => {
  const bomb = workbookOf({ a: [['Office']] }, { 'xl/media/zeros.bin': Buffer.alloc(3_000_000) });
  expect(bomb.length).toBeLessThan(20_000);
  const limits = { bytesMax: 2 * 1024 * 1024, filesMax: 20 };
  expect(() => checkArchive(bomb, 'a.xlsx', limits)).toThrow('unpacks to more than 2 MB');
  const claimed = Buffer.from(bomb);
  // In the directory, the last entry says that it unpacks to ten bytes.
  const entry = claimed.lastIndexOf(Buffer.from('PK\u0001\u0002'));
  claimed.writeUInt32LE(10, entry + 24);
  expect(() => checkArchive(claimed, 'a.xlsx', limits)).toThrow('unpacks to more than 2 MB');
  expect(() => checkArchive(bomb, 'a.xlsx', { ...limits, filesMax: 3 })).toThrow('which no workbook does');
  expect(() => checkArchive(bomb, 'a.xlsx')).not.toThrow();
});
