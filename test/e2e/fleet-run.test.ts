import { describe, expect, test } from 'vitest';
import { FLEET_PATHS, partnerFile, partnerLine, vehicleFile, vehicleLine } from '../support/fleet-files.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;

describe('a night of the fleet', () => {
  test('loads five tables, geocodes partners and derives their preferred day', async () => {
    const result = await fleet.run();
    expect(result).toMatchObject({
      status: 'completed',
      total_tables: 5,
      success_count: 5,
      total_rows_processed: 50,
    });
    expect(tableOf(result, 'vehicles')).toMatchObject({
      success: true,
      inserted: 10,
      updated: 0,
      quarantined: 0,
    });
    const [vehicle] = await fleet.rows(`SELECT * FROM vehicles WHERE vin = 'VIN0001'`);
    expect(vehicle).toMatchObject({
      current_mileage: 45210,
      registration_exp: '2026-01-31',
      insurance_exp: '2027-02-01',
      in_service_date: '2024-03-01',
      notes: 'Clean, charged',
    });
    const [partner] = await fleet.rows(`SELECT * FROM media_partners WHERE person_id = '1'`);
    expect(partner).toMatchObject({
      geocode_status: 'OK',
      geocode_approximate: true,
      preferred_day_of_week: 'Monday',
      preferred_day_confidence: '100.0',
    });
  });

  test('the same exports again change nothing', async () => {
    const before = await fleet.rows(`SELECT * FROM vehicles ORDER BY vin`);
    const result = await fleet.run();
    for (const table of result.tables.filter(({ status }) => status !== 'skipped')) {
      expect(table).toMatchObject({
        status: 'completed',
        rows_processed: 10,
        unchanged: 10,
        inserted: 0,
        updated: 0,
      });
    }
    expect(await fleet.rows(`SELECT * FROM vehicles ORDER BY vin`)).toEqual(before);
  });

  test('a night without changes takes one step for each table', async () => {
    const { run_id: runId } = await fleet.run();
    const { events } = await fleet.client.workflow.getHandle('sync/fleet', runId).fetchHistory();
    const steps = events?.flatMap(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
    );
    const tables = Array.from({ length: 5 }, () => 'stageTable');
    expect(steps?.sort()).toEqual(['deriveTable', 'enrichTable', 'finishRun', 'planRun', ...tables]);
  });

  test('writes only rows that changed and archives the one that vanished', async () => {
    fleet.server.answer(
      VEHICLES,
      vehicleFile(10)
        .replace(vehicleLine(1), vehicleLine(1, 'Red'))
        .replace(`${vehicleLine(10)}\n`, ''),
    );
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({
      updated: 1,
      unchanged: 8,
      archived: 1,
      rows_processed: 9,
    });
    const archived = await fleet.rows(`SELECT vin, archive_reason, archived_run_id FROM vehicles_archive`);
    expect(archived).toEqual([
      { vin: 'VIN0010', archive_reason: 'missing from the source', archived_run_id: result.run_id },
    ]);
    const touched = await fleet.rows(`SELECT vin FROM vehicles WHERE last_run_id = '${result.run_id}'`);
    expect(touched).toEqual([{ vin: 'VIN0001' }]);
  });

  test('brings an archived row back when the source shows it again', async () => {
    const [before] = await fleet.rows(`SELECT first_seen_at, first_run_id FROM vehicles_archive`);
    fleet.server.answer(VEHICLES, vehicleFile(10));
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ restored: 1, inserted: 0, updated: 1, unchanged: 8 });
    expect(
      await fleet.rows(`SELECT first_seen_at, first_run_id FROM vehicles WHERE vin = 'VIN0010'`),
    ).toEqual([before]);
    expect(await fleet.rows(`SELECT * FROM vehicles_archive`)).toEqual([]);
  });

  test('one table that is not found never stops the others', async () => {
    answerFleet(fleet.server);
    fleet.server.answer(VEHICLES, (_request, response) => void response.writeHead(404).end());
    const result = await fleet.run();
    expect(result).toMatchObject({ status: 'completed_with_errors', success_count: 4, failure_count: 1 });
    expect(tableOf(result, 'vehicles').error).toContain('FMS_VEHICLES_CSV_URL');
    expect(await fleet.rows(`SELECT count(*) FROM vehicles`)).toEqual([{ count: 10 }]);
  });

  test('no staging is left behind and every run has ended', async () => {
    expect(await fleet.rows(`SELECT tablename FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual(
      [],
    );
    expect(await fleet.rows(`SELECT run_id FROM sync_runs WHERE status = 'running'`)).toEqual([]);
  });

  test('partners whose address changed are geocoded again, others cost nothing', async () => {
    answerFleet(fleet.server);
    const file = partnerFile(10).replace(partnerLine(2), partnerLine(2, '5 Peachtree St, Atlanta, GA 30303'));
    fleet.server.answer(FLEET_PATHS.FMS_PARTNERS_CSV_URL, file);
    const result = await fleet.run();
    expect(result.enrich[0]?.counts).toMatchObject({ asked: 1, ok: 1 });
  });
});
