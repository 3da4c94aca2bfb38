import { expect, test } from 'vitest';
import { readReviews } from '../../src/db/run-list.ts';
import { holdId } from '../../src/domain/ids.ts';
import { FLEET_PATHS, partnerFile, partnerLine, vehicleLine } from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;

/** Everything a run may move: live rows, archives, states, watermarks and the geocoder's answers. */
async function everything(): Promise<unknown> {
  return {
    live: await liveTables(fleet),
    states: await fleet.rows(`SELECT * FROM table_state ORDER BY table_name`),
    watermarks: await fleet.rows(`SELECT * FROM watermarks`),
    answers: await fleet.rows(`SELECT * FROM geocode_cache ORDER BY address`),
  };
}

test('a plan before the first run shows what it would insert, and merges nothing', async () => {
  const before = await everything();
  const result = await fleet.run({ kind: 'plan' });
  expect(result).toMatchObject({
    status: 'planned',
    total_tables: 5,
    success_count: 5,
    enrich: [],
    derive: [],
  });
  expect(tableOf(result, 'vehicles')).toMatchObject({ inserted: 10, updated: 0, rows_processed: 10 });
  const reviews = await readReviews(fleet.database.db, result.run_id);
  const vehicles = reviews.find(({ table }) => table === 'vehicles');
  expect(vehicles).toMatchObject({ reason: null, inserted: 10, updated: 0, missing: 0 });
  expect(vehicles?.samples.inserted[0]).toMatchObject({ vin: 'VIN0001', current_mileage: 45210 });
  expect(await everything()).toEqual(before);
  expect(await fleet.rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual(
    [],
  );
});

test('a plan shows what it would insert, update, archive and quarantine, with samples', async () => {
  await fleet.run();
  const before = await everything();
  const lines = [
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((index) => vehicleLine(index, index === 3 ? 'Red' : 'Black')),
    vehicleLine(9).replace('2025', 'soon'),
    vehicleLine(11),
  ];
  fleet.server.answer(VEHICLES, `${lines.join('\n')}\n`);
  const result = await fleet.run({ kind: 'plan', tables: ['vehicles'] });
  expect(tableOf(result, 'vehicles')).toMatchObject({
    status: 'completed',
    inserted: 1,
    updated: 1,
    unchanged: 7,
    archived: 1,
    quarantined: 1,
    rows_processed: 9,
  });
  const [review, ...others] = await readReviews(fleet.database.db, result.run_id);
  expect(others).toEqual([]);
  expect(review).toMatchObject({ table: 'vehicles', inserted: 1, updated: 1, unchanged: 7, missing: 1 });
  expect(review?.samples.inserted).toMatchObject([{ vin: 'VIN0011' }]);
  expect(review?.samples.missing).toMatchObject([{ vin: 'VIN0010', make: 'Audi' }]);
  expect(review?.samples.updated).toEqual([
    { key: { vin: 'VIN0003' }, changes: { color: ['Black', 'Red'] } },
  ]);
  const quarantined = await fleet.rows(
    `SELECT position, reasons FROM quarantined_rows WHERE run_id = '${result.run_id}'`,
  );
  expect(quarantined).toEqual([{ position: 9, reasons: ["year: 'soon' is not a whole number"] }]);
  expect(await everything()).toEqual(before);
});

test('a plan that would be held shows the reason, and nobody is asked for a decision', async () => {
  answerFleet(fleet.server);
  const before = await everything();
  fleet.server.answer(PARTNERS, partnerFile(7));
  const result = await fleet.run({ kind: 'plan' });
  const reason =
    'media_partners: 3 of 10 live rows (30 %) are missing from the source; the guard allows 20 %.';
  expect(result.status).toBe('planned');
  expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'held', error: reason, archived: 3 });
  const reviews = await readReviews(fleet.database.db, result.run_id);
  expect(reviews.find(({ table }) => table === 'media_partners')?.reason).toBe(reason);
  await expect(fleet.client.workflow.getHandle(holdId(result.run_id)).describe()).rejects.toThrow(
    /not found/i,
  );
  expect(await everything()).toEqual(before);
  expect(await fleet.rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual(
    [],
  );
});

test('a plan does not promise to archive what an unreadable line would keep from the archive', async () => {
  fleet.server.answer(PARTNERS, partnerFile(20));
  await fleet.run({ tables: ['media_partners'] });
  fleet.server.answer(PARTNERS, partnerFile(19).replace(partnerLine(5), '5.0,Partner'));
  const result = await fleet.run({ kind: 'plan', tables: ['media_partners'] });
  expect(tableOf(result, 'media_partners')).toMatchObject({ quarantined: 1, archived: 0 });
  expect(result.notices).toEqual([expect.stringContaining('nothing is archived this time')]);
});

test('a plan reports a failed table and still ends as planned', async () => {
  fleet.server.answer(PARTNERS, '<html>no</html>');
  const result = await fleet.run({ kind: 'plan', tables: ['media_partners'] });
  expect(result).toMatchObject({ status: 'planned', failure_count: 1 });
  expect(tableOf(result, 'media_partners')).toMatchObject({ status: 'failed', success: false });
});

test('a plan does not count as a run: the sync after it does all of its own work', async () => {
  answerFleet(fleet.server);
  // The same unreadable line in the plan before must not make it known to the sync.
  fleet.server.answer(PARTNERS, partnerFile(19).replace(partnerLine(5), '5.0,Partner'));
  await fleet.run({ kind: 'plan' });
  const result = await fleet.run();
  expect(result.status).toBe('completed');
  expect(tableOf(result, 'media_partners')).toMatchObject({ unchanged: 18, quarantined: 1, archived: 0 });
  expect(tableOf(result, 'vehicles')).toMatchObject({ unchanged: 10 });
});

test('rows that come back from the archive are told apart from new ones', async () => {
  answerFleet(fleet.server);
  fleet.server.answer(
    VEHICLES,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `${vehicleLine(index)}\n`).join(''),
  );
  await fleet.run({ tables: ['vehicles'] });
  fleet.server.answer(
    VEHICLES,
    [
      ...[1, 2, 3, 4, 5, 6, 7, 8, 10, 12].map((index) => vehicleLine(index)),
      vehicleLine(13).replace('2025', 'x'),
    ]
      .map((line) => `${line}\n`)
      .join(''),
  );
  const result = await fleet.run({ kind: 'plan', tables: ['vehicles'] });
  const expected = { inserted: 1, restored: 1, updated: 0, archived: 1, quarantined: 1 };
  expect(tableOf(result, 'vehicles')).toMatchObject(expected);
  const [review] = await readReviews(fleet.database.db, result.run_id);
  expect(review).toMatchObject({
    ...expected,
    samples: {
      inserted: [{ vin: 'VIN0012' }],
      restored: [{ vin: 'VIN0010' }],
      missing: [{ vin: 'VIN0009' }],
      quarantined: [{ position: 11, reasons: ["year: 'x' is not a whole number"] }],
    },
  });
  const run = await fleet.run({ tables: ['vehicles'] });
  expect(tableOf(run, 'vehicles')).toMatchObject(expected);
});
