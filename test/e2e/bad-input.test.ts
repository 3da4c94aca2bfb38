import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../support/csv-server.ts';
import {
  activityFile,
  FLEET_PATHS,
  loanFile,
  makeFile,
  makeLine,
  partnerFile,
  vehicleFile,
  vehicleLine,
} from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;
const LOANS = FLEET_PATHS.FMS_LOAN_HISTORY_CSV_URL;
const ACTIVITY = FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL;
const MAKES = FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL;
const ROWS = 40;

function answerWell(): void {
  fleet.server.answer(VEHICLES, vehicleFile(ROWS));
  fleet.server.answer(PARTNERS, partnerFile(ROWS));
  fleet.server.answer(LOANS, loanFile(ROWS));
  fleet.server.answer(ACTIVITY, activityFile(ROWS));
  fleet.server.answer(MAKES, makeFile(ROWS));
}

beforeAll(async () => {
  answerWell();
  await fleet.run();
});

describe('a file that cannot be the feed fails its table and touches no live row', () => {
  const as =
    (type: string, body: string): Answer =>
    (_request, response) =>
      void response.writeHead(200, { 'content-type': type }).end(body);
  const header = 'vehicle_id,Year,Make,Model,Model Short Name,Office,Fleet,Color';

  test.each<[string, Answer, RegExp]>([
    [
      'an HTML error page with status 200',
      as('text/html', '<!DOCTYPE html><html><head><title>Sign in</title></head><body>x</body></html>'),
      /HTML page titled "Sign in"/,
    ],
    ['a JSON error with status 200', as('application/json', '{"error":"no such report"}'), /JSON answer/],
    [
      'another delimiter',
      vehicleFile(ROWS)
        .replaceAll(/"([^",]*), ?([^"]*)"/g, '$1 $2')
        .replaceAll(',', ';'),
      /looks separated by ';'/,
    ],
    [
      'a header without a required column',
      `${header}\n1,2025,Audi,Q5,Q5,LA,Press,Red\n`,
      /lacks the required column 'vin'/i,
    ],
    ['another export', partnerFile(ROWS), /no row has the 15 cells of this feed/],
    ['one line of text', 'Report is not available at this time.\n', /no row has the 15 cells/],
    ['a PDF', Buffer.from('%PDF-1.7 …'), /PDF/],
    [
      'a redirect loop',
      (_request, response) => void response.writeHead(302, { location: VEHICLES }).end(),
      /redirects in a loop/,
    ],
  ])('%s', async (_name, answer, message) => {
    const before = await liveTables(fleet);
    fleet.server.answer(VEHICLES, answer);
    const result = await fleet.run({ tables: ['vehicles'] });
    const table = tableOf(result, 'vehicles');
    expect(table).toMatchObject({ status: 'failed', success: false, inserted: 0, updated: 0, archived: 0 });
    expect(table.error).toMatch(message);
    expect(table.error).toContain('FMS_VEHICLES_CSV_URL');
    expect(table.error).not.toContain(VEHICLES);
    expect(result).toMatchObject({ status: 'failed', failure_count: 1, success_count: 0 });
    expect(await liveTables(fleet)).toEqual(before);
  });
});

test('a body cut short is asked for four times, then fails its table and touches no live row', async () => {
  const before = await liveTables(fleet);
  fleet.server.requests.clear();
  const short = vehicleFile(ROWS).slice(0, -400);
  fleet.server.answer(VEHICLES, (_request, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(vehicleFile(ROWS)) });
    response.write(short, () => response.socket?.destroy());
  });
  fleet.server.answer(PARTNERS, (_request, response) => {
    response.writeHead(200);
    response.write(partnerFile(ROWS - 2), () => response.socket?.destroy());
  });
  const loans = loanFile(ROWS);
  fleet.server.answer(LOANS, loans.slice(0, loans.lastIndexOf('"') - 3));
  const activity = activityFile(ROWS);
  fleet.server.answer(ACTIVITY, activity.slice(0, activity.lastIndexOf('Someone') - 1));
  fleet.server.answer(MAKES, gzipSync(makeFile(ROWS)).subarray(0, -20));

  const result = await fleet.run();
  expect(result).toMatchObject({ status: 'failed', success_count: 0, failure_count: 5 });
  expect(tableOf(result, 'vehicles').error).toMatch(/cut off while it was read/);
  expect(tableOf(result, 'media_partners').error).toMatch(/cut off while it was read/);
  expect(tableOf(result, 'loan_history').error).toMatch(/ends inside quotes/);
  expect(tableOf(result, 'current_activity').error).toMatch(/no line end and \d of 9 cells/);
  expect(tableOf(result, 'approved_makes').error).toMatch(/gzip data ends too early/);
  expect(Object.fromEntries(fleet.server.requests)).toEqual({
    [VEHICLES]: 4,
    [PARTNERS]: 4,
    [LOANS]: 4,
    [ACTIVITY]: 4,
    [MAKES]: 4,
  });
  expect(await liveTables(fleet)).toEqual(before);
  expect(await fleet.rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual(
    [],
  );
}, 60_000);

describe('a row that cannot be taken is quarantined, its live row and all others stay', () => {
  const position = 20;
  const good = vehicleLine(position);
  const withLine = (line: string | Buffer): Buffer => {
    const [head = '', tail = ''] = vehicleFile(ROWS).split(`${good}\n`);
    return Buffer.concat([Buffer.from(head), Buffer.from(line), Buffer.from(`\n${tail}`)]);
  };
  const bytes = (before: string, at: readonly number[], after: string): Buffer =>
    Buffer.concat([Buffer.from(before), Buffer.from(at), Buffer.from(after)]);
  const [front = '', back = ''] = good.split('Black');

  test.each<[string, string | Buffer, RegExp]>([
    ['too short', '20,2025,Audi', /has 3 cells, the feed has 15/],
    ['too long', `${good},more`, /has 16 cells, the feed has 15/],
    ['a quote that is never closed', good.replace('charged"', 'charged'), /closing quote/],
    ['bytes that are not UTF-8', bytes(front, [0xe9, 0x20], back), /not UTF-8/],
    ['a NUL byte', bytes(front, [0], back), /NUL byte/],
    ['a field of 10 MB', front + 'x'.repeat(10 * 1024 * 1024) + back, /has 10485760 bytes/],
    [
      'the 30th of February',
      good.replace('01/31/26', '02/30/26'),
      /registration_exp: '02\/30\/26' is not a date/,
    ],
    ['a year in letters', good.replace('2025', 'MMXXV'), /year: 'MMXXV' is not a whole number/],
    ['a blank required cell', good.replace('Los Angeles', ' '), /office: is required and blank here/],
  ])('%s', async (_name, line, reason) => {
    const before = await liveTables(fleet);
    fleet.server.answer(VEHICLES, withLine(line));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({
      status: 'completed',
      rows_processed: ROWS - 1,
      unchanged: ROWS - 1,
      quarantined: 1,
      inserted: 0,
      updated: 0,
      archived: 0,
    });
    const [kept, ...others] = await fleet.rows(
      `SELECT position, raw, reasons FROM quarantined_rows WHERE run_id = '${result.run_id}'`,
    );
    expect(others).toEqual([]);
    expect(kept?.['position']).toBe(position);
    expect(String(kept?.['reasons'])).toMatch(reason);
    expect(Buffer.byteLength(String(kept?.['raw']))).toBeLessThanOrEqual(4_096);
    expect(await liveTables(fleet)).toEqual(before);
  });

  test('a blank key stands for no live row, so the row it replaced is archived', async () => {
    fleet.server.answer(VEHICLES, withLine(good.replace('vin0020', '')));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', quarantined: 1, archived: 1 });
    expect(await fleet.rows(`SELECT vin FROM vehicles_archive`)).toEqual([{ vin: 'VIN0020' }]);
  });

  test('a rank D', async () => {
    answerWell();
    await fleet.run();
    const before = await liveTables(fleet);
    fleet.server.answer(MAKES, makeFile(ROWS).replace(makeLine(7), makeLine(7, 'D')));
    const result = await fleet.run();
    expect(tableOf(result, 'approved_makes')).toMatchObject({
      status: 'completed',
      quarantined: 1,
      archived: 0,
    });
    expect(
      await fleet.rows(`SELECT reasons FROM quarantined_rows WHERE run_id = '${result.run_id}'`),
    ).toEqual([{ reasons: ["rank: 'D' is not one of A+, A, B, C, Pending"] }]);
    expect(await liveTables(fleet)).toEqual(before);
  });
});

describe('an unreadable line', () => {
  const broken = '5,2025,Audi';
  const night = (...gone: number[]): string =>
    [5, ...gone].reduce(
      (file, index) => file.replace(`${vehicleLine(index)}\n`, index === 5 ? `${broken}\n` : ''),
      vehicleFile(ROWS),
    );

  test('suspends archiving this time, and the report says so', async () => {
    answerWell();
    await fleet.run({ tables: ['vehicles'] });
    const before = await liveTables(fleet);
    fleet.server.answer(VEHICLES, night(9));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', quarantined: 1, archived: 0 });
    expect(result.notices).toEqual([
      expect.stringMatching(/vehicles: nothing is archived this time.*1 line/),
    ]);
    expect(await liveTables(fleet)).toEqual(before);
  });

  test('that was quarantined in the previous complete run no longer does', async () => {
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', quarantined: 1, archived: 2 });
    expect(result.notices).toEqual([]);
    const archived = await fleet.rows(
      `SELECT vin FROM vehicles_archive WHERE archived_run_id = '${result.run_id}' ORDER BY vin`,
    );
    expect(archived).toEqual([{ vin: 'VIN0005' }, { vin: 'VIN0009' }]);
  });

  test('that is new suspends it again, and one twice as often is new too', async () => {
    fleet.server.answer(VEHICLES, night(9, 10).replace(`${vehicleLine(11)}\n`, `${broken}\n`));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ quarantined: 2, archived: 0 });
  });
});

test('of rows that share a key the last one wins, and the others are counted', async () => {
  answerWell();
  await fleet.run({ tables: ['vehicles'] });
  const twice = `${vehicleFile(ROWS)}${vehicleLine(3, 'Red')}\n${vehicleLine(3, 'Blue')}\n`;
  fleet.server.answer(VEHICLES, twice);
  const result = await fleet.run({ tables: ['vehicles'] });
  expect(tableOf(result, 'vehicles')).toMatchObject({
    status: 'completed',
    rows_processed: ROWS,
    duplicates: 2,
    updated: 1,
    unchanged: ROWS - 1,
    archived: 0,
  });
  expect(await fleet.rows(`SELECT color FROM vehicles WHERE vin = 'VIN0003'`)).toEqual([{ color: 'Blue' }]);
});
