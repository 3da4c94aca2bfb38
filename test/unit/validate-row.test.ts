import { describe, expect, test } from 'vitest';
import { approvedMakes, currentActivity, vehicles } from '../../src/syncs/fleet/tables.ts';
import { validateRow } from '../../src/syncs/validate-row.ts';

const row = (values: Record<string, string>, unreadable?: string) => ({
  position: 7,
  values,
  raw: 'raw',
  unreadable,
});
const vehicle = { make: 'Audi', model: 'Q5', office: 'Los Angeles', vin: ' wau123 ' };
const activity = {
  activity_id: 'A1',
  vehicle_vin: 'wau123',
  activity_type: 'Event',
  start_date: '03/10/26',
  end_date: '03/12/26',
};

describe('a row', () => {
  test('that fits has every column of the table, blank ones as null', () => {
    const verdict = validateRow(vehicles, row(vehicle));
    expect(verdict).toEqual({
      kind: 'valid',
      values: {
        vehicle_id: null,
        year: null,
        make: 'Audi',
        model: 'Q5',
        model_short_name: null,
        office: 'Los Angeles',
        vin: 'WAU123',
        fleet: null,
        registration_exp: null,
        insurance_exp: null,
        current_mileage: null,
        in_service_date: null,
        expected_turn_in_date: null,
        notes: null,
        color: null,
      },
    });
  });

  test('with several wrong cells is quarantined with a reason for each and the key it stands for', () => {
    const verdict = validateRow(vehicles, row({ ...vehicle, year: 'new', office: 'N/A' }));
    expect(verdict).toEqual({
      kind: 'quarantined',
      reasons: ["year: 'new' is not a whole number", 'office: is required and blank here'],
      key: { vin: 'WAU123' },
    });
  });

  test('whose key is blank or wrong stands for no live row', () => {
    expect(validateRow(vehicles, row({ ...vehicle, vin: ' ' }))).toMatchObject({
      kind: 'quarantined',
      key: null,
    });
    expect(validateRow(vehicles, row({ ...vehicle, vin: 'x'.repeat(201) }))).toMatchObject({
      kind: 'quarantined',
      key: null,
    });
  });

  test('with one part of a key of two stands for no live row, with both it does', () => {
    const make = { person_id: '12.0', name: 'A', make: 'Audi', rank: 'D' };
    expect(validateRow(approvedMakes, row(make))).toMatchObject({ key: { person_id: '12', make: 'Audi' } });
    expect(validateRow(approvedMakes, row({ ...make, make: '' }))).toMatchObject({ key: null });
  });

  test('that could not be split keeps the reason of its reader', () => {
    expect(validateRow(vehicles, row({}, 'has 3 cells, the feed has 15'))).toEqual({
      kind: 'quarantined',
      reasons: ['has 3 cells, the feed has 15'],
      key: null,
    });
  });

  test('of an activity may have no person: holds and events have none', () => {
    expect(validateRow(currentActivity, row({ ...activity, person_id: '' }))).toMatchObject({
      kind: 'valid',
      values: { person_id: null, vehicle_vin: 'WAU123', start_date: '2026-03-10' },
    });
  });
});
