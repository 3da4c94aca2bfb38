import { beforeAll, describe, expect, test } from 'vitest';
import {
  activityFile,
  activityLine,
  FLEET_PATHS,
  partnerFile,
  partnerLine,
  vehicleFile,
  vehicleLine,
} from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;
const ACTIVITY = FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL;

const header =
  'vehicle_id,Year,Make,Model,Model Short Name,Office,VIN,Fleet,Registration Exp,Insurance Exp,' +
  'Current Mileage,In Service Date,Expected Turn In Date,Notes,Color\n';

/** The first `count` lines of a file with a wrong year in each of the first `wrong`. */
const withWrongRows = (count: number, wrong: number): string =>
  Array.from({ length: count }, (_, at) =>
    at < wrong ? vehicleLine(at + 1).replace('2025', 'soon') : vehicleLine(at + 1),
  ).join('\n') + '\n';

describe('before anything is live', () => {
  test.each([
    ['an empty file', ''],
    ['a header alone', header],
  ])('%s is a complete source without rows', async (_name, file) => {
    fleet.server.answer(VEHICLES, file);
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({
      status: 'completed',
      rows_processed: 0,
      inserted: 0,
    });
  });
});

describe('with live rows', () => {
  beforeAll(async () => {
    answerFleet(fleet.server);
    fleet.server.answer(VEHICLES, vehicleFile(100));
    fleet.server.answer(PARTNERS, partnerFile(100));
    fleet.server.answer(ACTIVITY, activityFile(100));
    await fleet.run();
  });

  test.each<[string, string, RegExp]>([
    ['an empty file', '', /^vehicles: the source shows 0 rows, but 100 are live\.$/],
    ['a header alone', header, /^vehicles: the source shows 0 rows, but 100 are live\.$/],
    [
      '21 % of the rows missing',
      vehicleFile(79),
      /^vehicles: 21 of 100 live rows \(21 %\) are missing from the source; the guard allows 20 %\.$/,
    ],
    [
      '11 % of the rows quarantined',
      withWrongRows(100, 11),
      /^vehicles: 11 of 100 rows \(11 %\) are quarantined; the guard allows 10 %\.$/,
    ],
  ])('%s holds the table and changes nothing', async (_name, file, reason) => {
    const before = await liveTables(fleet);
    fleet.server.answer(VEHICLES, file);
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(result.status).toBe('held');
    const table = tableOf(result, 'vehicles');
    expect(table).toMatchObject({ status: 'held', success: false, inserted: 0, updated: 0, archived: 0 });
    expect(table.error).toMatch(reason);
    expect(await liveTables(fleet)).toEqual(before);
  });

  test('10 % of the rows quarantined go on, and their live rows stay', async () => {
    const before = await liveTables(fleet);
    fleet.server.answer(VEHICLES, withWrongRows(100, 10));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({
      status: 'completed',
      quarantined: 10,
      rows_processed: 90,
      unchanged: 90,
      archived: 0,
    });
    expect(await liveTables(fleet)).toEqual(before);
  });

  test('21 % of the partners gone hold them, and the other tables are merged', async () => {
    const before = await liveTables(fleet, ['media_partners']);
    answerFleet(fleet.server);
    fleet.server.answer(PARTNERS, partnerFile(79));
    fleet.server.answer(ACTIVITY, activityFile(100));
    fleet.server.answer(VEHICLES, vehicleFile(100).replace(vehicleLine(1), vehicleLine(1, 'Red')));
    const result = await fleet.run();
    expect(result).toMatchObject({ status: 'held', success_count: 4, failure_count: 0 });
    expect(tableOf(result, 'media_partners').status).toBe('held');
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', updated: 1 });
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
  });

  test('19 % of the partners gone are archived, and quarantined ones do not count as gone', async () => {
    const wrong = partnerLine(50).replace(/Los Angeles,West/, ',West');
    fleet.server.answer(PARTNERS, partnerFile(81).replace(partnerLine(50), wrong));
    const result = await fleet.run({ tables: ['media_partners'] });
    expect(tableOf(result, 'media_partners')).toMatchObject({
      status: 'completed',
      archived: 19,
      quarantined: 1,
    });
    expect(await fleet.rows(`SELECT count(*) FROM media_partners`)).toEqual([{ count: 81 }]);
    expect(await fleet.rows(`SELECT count(*) FROM media_partners_archive`)).toEqual([{ count: 19 }]);
  });

  test('current activity may lose 60 % of its rows, but not more', async () => {
    fleet.server.answer(ACTIVITY, activityFile(39));
    const held = await fleet.run({ tables: ['current_activity'] });
    expect(tableOf(held, 'current_activity').error).toContain('61 of 100 live rows (61 %)');
    fleet.server.answer(ACTIVITY, activityFile(39) + `${activityLine(100)}\n`);
    const passed = await fleet.run({ tables: ['current_activity'] });
    expect(tableOf(passed, 'current_activity')).toMatchObject({ status: 'completed', archived: 60 });
  });

  test('after a pause of a day and a half 30 % may be missing, after a long one 40 %', async () => {
    const ago = (time: string) =>
      fleet.rows(`UPDATE sync_runs SET started_at = started_at - interval '${time}'`);
    fleet.server.answer(VEHICLES, vehicleFile(100));
    await fleet.run({ tables: ['vehicles'] });
    await ago('36 hours');
    fleet.server.answer(VEHICLES, vehicleFile(69));
    const held = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(held, 'vehicles').error).toMatch(/31 of 100 .* the guard allows 30 %/);
    await ago('300 hours');
    fleet.server.answer(VEHICLES, vehicleFile(59));
    const again = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(again, 'vehicles').error).toMatch(/41 of 100 .* the guard allows 40 %/);
    fleet.server.answer(VEHICLES, vehicleFile(60));
    const passed = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(passed, 'vehicles')).toMatchObject({ status: 'completed', archived: 40 });
  });

  test('growth of up to 200 % is no news, more goes on with a notice', async () => {
    fleet.server.answer(VEHICLES, vehicleFile(180));
    const tripled = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(tripled, 'vehicles')).toMatchObject({ status: 'completed', inserted: 80, restored: 40 });
    expect(tripled.notices).toEqual([]);
    fleet.server.answer(VEHICLES, vehicleFile(541));
    const grown = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(grown, 'vehicles')).toMatchObject({ status: 'completed', inserted: 361 });
    expect(grown.notices).toEqual(['vehicles: the source shows 541 rows, 180 were live before.']);
  });
});
