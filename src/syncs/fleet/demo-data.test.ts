import { createHash } from 'node:crypto';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { createOfflineGeocoder } from '../../connectors/geocoder/offline.ts';
import { validateRow } from '../validate-row.ts';
import { fleetExport } from './demo-data.ts';
import type { FleetExportOptions } from './demo-data.ts';
import { vinCheckDigit } from '../../domain/vin-check-digit.ts';
import { FLEET_FEEDS } from './demo-world.ts';
import type { FleetFeed } from './demo-world.ts';
import * as tables from './tables.ts';

type Row = Record<string, string>;

const KEYS: Record<FleetFeed, readonly string[]> = {
  vehicles: ['VIN'],
  media_partners: ['Person_ID'],
  loan_history: ['Activity_ID'],
  current_activity: ['Activity_ID'],
  approved_makes: ['Person_ID', 'Make'],
  budget_spending: ['office', 'fleet', 'year', 'quarter'],
};
const ARCHIVING = FLEET_FEEDS.filter((feed) => feed !== 'budget_spending');

function rows(feed: FleetFeed, options: FleetExportOptions = {}): Row[] {
  const text = [...fleetExport(feed, { ...options, header: true })].join('');
  const { data, errors } = Papa.parse<Row>(text, { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  return data;
}

/** As the sync reads a key: ids without a decimal, VINs trimmed and in upper case. */
const read = (cell = ''): string => cell.trim().replace(/\.0$/, '').toUpperCase();
const keyOf = (feed: FleetFeed, row: Row): string => KEYS[feed].map((column) => read(row[column])).join('|');
const byKey = (feed: FleetFeed, options?: FleetExportOptions) =>
  new Map(rows(feed, options).map((row) => [keyOf(feed, row), JSON.stringify(row)]));
const column = (feed: FleetFeed, name: string) => new Set(rows(feed).map((row) => read(row[name])));

function digest(options: FleetExportOptions): string {
  const sum = createHash('sha256');
  for (const feed of FLEET_FEEDS) for (const line of fleetExport(feed, options)) sum.update(line);
  return sum.digest('hex');
}

test('the same options make the same text; another seed or night makes another', () => {
  expect(digest({ night: 3 })).toBe(digest({ night: 3 }));
  expect(digest({ night: 4 })).not.toBe(digest({ night: 3 }));
  expect(digest({ night: 3, seed: 2 })).not.toBe(digest({ night: 3 }));
});

test('each export has as many rows as the real one, on every night, and scales', () => {
  const counts = (options: FleetExportOptions) =>
    FLEET_FEEDS.map((feed) => [...fleetExport(feed, options)].length);
  const seen = [979, 592, 10_806, 1_122, 4_715, 80];
  expect(counts({})).toEqual(seen);
  expect(counts({ night: 500 })).toEqual(seen);
  expect(counts({ scale: 2 })).toEqual([1958, 1184, 21_612, 2244, 9430, 80]);
  expect(counts({ scale: 0.01, header: true, badRows: 3 })).toEqual([14, 10, 112, 15, 51, 84]);
});

describe.each(FLEET_FEEDS)('%s', (feed) => {
  test('has distinct keys, also after many nights and with a small or larger fleet', () => {
    for (const options of [
      {},
      { night: 900 },
      { scale: 3, night: 50 },
      { scale: 0.003 },
      { changedShare: 1, night: 70 },
    ]) {
      const found = rows(feed, options).map((row) => keyOf(feed, row));
      expect(new Set(found).size, JSON.stringify(options)).toBe(found.length);
    }
  });

  test('has the cells of its header in every line', () => {
    const [header = [], ...lines] = Papa.parse<string[]>(
      [...fleetExport(feed, { header: true, badRows: 2 })].join('').trimEnd(),
    ).data;
    for (const line of lines) expect(line).toHaveLength(header.length);
  });

  test('labels every bad row as demo data and adds it at the end', () => {
    const lines = [...fleetExport(feed, { badRows: 2 })];
    expect(lines.slice(0, -2)).toEqual([...fleetExport(feed)]);
    for (const line of lines.slice(-2)) expect(line).toContain('Demo data: bad on purpose');
  });
});

describe.each(ARCHIVING)('%s from night to night', (feed) => {
  test('changes about one row in a hundred: updated, new and vanished ones', () => {
    const nights = Array.from({ length: 21 }, (_, night) => byKey(feed, { night: 300 + night }));
    const size = nights[0]?.size ?? 0;
    const sums = { updated: 0, added: 0, vanished: 0 };
    for (const [at, today] of nights.slice(1).entries()) {
      const before = nights[at] ?? new Map<string, string>();
      for (const [key, row] of today) {
        if (!before.has(key)) sums.added += 1;
        else if (before.get(key) !== row) sums.updated += 1;
      }
      for (const key of before.keys()) if (!today.has(key)) sums.vanished += 1;
    }
    const changed = (sums.updated + sums.added) / (20 * size);
    expect(changed).toBeGreaterThan(0.008);
    expect(changed).toBeLessThan(0.012);
    for (const count of Object.values(sums)) expect(count).toBeGreaterThan(0);
  });

  test('never loses so many rows that a guard would hold it, however many nights were missed', () => {
    const live = byKey(feed);
    for (const night of [1, 30, 100, 1000]) {
      const later = byKey(feed, { night });
      const missing = [...live.keys()].filter((key) => !later.has(key)).length / live.size;
      expect(missing, `night ${night}`).toBeLessThan(feed === 'current_activity' ? 0.55 : 0.13);
    }
  });

  test('changes nothing where no change is asked for', () => {
    expect(byKey(feed, { night: 40, changedShare: 0 })).toEqual(byKey(feed, { changedShare: 0 }));
  });
});

test.each([
  ['vehicles', tables.vehicles],
  ['media_partners', tables.mediaPartners],
  ['loan_history', tables.loanHistory],
  ['current_activity', tables.currentActivity],
  ['approved_makes', tables.approvedMakes],
  ['budget_spending', tables.budgetSpending],
] as const)(
  'every row of %s is valid for the fleet sync, except those that are bad on purpose',
  (feed, table) => {
    const columns = Object.keys(table.row.shape);
    for (const night of [0, 326, 2000]) {
      const text = [...fleetExport(feed, { night, badRows: 3 })].join('').trimEnd();
      const verdicts = Papa.parse<string[]>(text).data.map((cells, index) => {
        const values = Object.fromEntries(columns.map((name, at) => [name, cells[at]]));
        return validateRow(table, { position: index + 1, raw: '', values }).kind;
      });
      expect(verdicts.indexOf('quarantined')).toBe(verdicts.length - 3);
      expect(verdicts.slice(-3)).toEqual(['quarantined', 'quarantined', 'quarantined']);
    }
  },
);

test('the check digit follows the published rule', () => {
  for (const vin of ['1M8GDM9AXKP042788', '11111111111111111', '5GZCZ43D13S812715']) {
    expect(vinCheckDigit(vin)).toBe(vin[8]);
  }
  expect(vinCheckDigit('1M8GDM9AXKP042789')).not.toBe('X');
});

test('every VIN has 17 allowed characters and a valid check digit', () => {
  for (const vin of rows('vehicles', { night: 500, scale: 3 }).map((row) => read(row.VIN))) {
    expect(vin).toMatch(/^[A-HJ-NPR-Z0-9]{17}$/);
    expect(vinCheckDigit(vin), vin).toBe(vin[8]);
  }
});

test('loans, activity and approvals refer to partners and vehicles of the same night', () => {
  for (const options of [{}, { night: 411 }, { scale: 0.02 }]) {
    const partners = new Map(rows('media_partners', options).map((row) => [read(row.Person_ID), row]));
    const vehicles = new Map(rows('vehicles', options).map((row) => [read(row.VIN), row]));
    for (const loan of rows('loan_history', options)) {
      const { Name, Address } = partners.get(read(loan.Person_ID)) ?? {};
      const { Make, Model, Year } = vehicles.get(read(loan.VIN)) ?? {};
      expect(loan).toMatchObject({ Name, Partner_Address: Address, Make, Model, Year });
    }
    for (const activity of rows('current_activity', options)) {
      expect(vehicles.has(read(activity.Vehicle_VIN))).toBe(true);
      expect(activity.Activity_Type === 'Media Loan').toBe(partners.has(read(activity.Person_ID)));
    }
    for (const approval of rows('approved_makes', options)) {
      expect(partners.get(read(approval.Person_ID))?.Name).toBe(approval.Name);
    }
  }
});

test('no loan starts before its car was in service or after the night of the export', () => {
  const night = 326;
  const inService = new Map(
    rows('vehicles', { night }).map((row) => [read(row.VIN), row['In Service Date']]),
  );
  const today = Date.UTC(2026, 0, 1 + night);
  let checked = 0;
  for (const loan of rows('loan_history', { night })) {
    const [, month, day, year] = /^(\d\d)[-/](\d\d)[-/](\d\d)$/.exec(loan.Start_Date ?? '') ?? [];
    if (month === undefined) continue;
    const start = Date.UTC(2000 + Number(year), Number(month) - 1, Number(day));
    const [firstMonth, firstYear] = (inService.get(read(loan.VIN)) ?? '').split('/').map(Number);
    expect(start).toBeGreaterThanOrEqual(Date.UTC(firstYear ?? NaN, (firstMonth ?? NaN) - 1, 1));
    expect(start).toBeLessThan(today);
    checked += 1;
  }
  expect(checked).toBeGreaterThan(9_000);
});

test('562 of 592 partners have an address, each another one, in a ZIP code of the right city', async () => {
  const addresses = rows('media_partners').map((row) => row.Address?.trim() ?? '');
  const real = addresses.filter((address) => address !== '' && address !== 'N/A');
  expect(real).toHaveLength(562);
  expect(new Set(real).size).toBe(562);
  const geocoder = createOfflineGeocoder();
  for (const address of real) {
    const answer = await geocoder.geocode(address, new AbortController().signal);
    const city = await geocoder.geocode(address.replace(/ \d{5}$/, ''), new AbortController().signal);
    expect(answer.status, address).toBe('OK');
    expect(
      Math.hypot(
        (answer.latitude ?? 0) - (city.latitude ?? 99),
        (answer.longitude ?? 0) - (city.longitude ?? 0),
      ),
    ).toBeLessThan(0.6);
  }
});

test('dates, mileage, years and ranks come in every form the real exports use', () => {
  const every = (feed: FleetFeed, name: string, ...forms: RegExp[]) => {
    const cells = [...rows(feed)].map((row) => row[name] ?? '').filter((cell) => cell.trim() !== '');
    for (const form of forms)
      expect(
        cells.some((cell) => form.test(cell)),
        `${feed}.${name} ${form}`,
      ).toBe(true);
    for (const cell of cells)
      expect(
        forms.some((form) => form.test(cell)),
        `${feed}.${name} ${cell}`,
      ).toBe(true);
  };
  const slash2 = /^\d\d\/\d\d\/\d\d$/;
  const slash4 = /^\d\d\/\d\d\/\d{4}$/;
  const mixed = [/^\d\d-\d\d-\d\d$/, slash2, slash4, /^\d{4}-\d\d-\d\d$/];
  every('vehicles', 'Registration Exp', slash2, slash4);
  every('vehicles', 'Insurance Exp', slash2, slash4);
  every('vehicles', 'In Service Date', /^\d\/20\d\d$/, /^1[0-2]\/20\d\d$/);
  every('vehicles', 'Expected Turn In Date', ...mixed);
  every('vehicles', 'Current Mileage', /^\d{1,3}$/, /^\d{1,2},\d{3}$/);
  every('loan_history', 'Start_Date', ...mixed);
  every('loan_history', 'End_Date', ...mixed);
  every('current_activity', 'Start_Date', ...mixed);
  every('loan_history', 'Person_ID', /^\d+$/, /^\d+\.0$/);
  every('budget_spending', 'year', /^2,025$/, /^2,026$/);
  expect(column('approved_makes', 'Rank')).toEqual(new Set(['A+', 'A', 'B', 'C', 'PENDING']));
});

test('many partners, but not all, borrow on a preferred weekday and at least five times', () => {
  const loans = new Map<string, number[]>();
  for (const row of rows('loan_history')) {
    const [, month = '', day = '', year = ''] =
      /^(\d\d)[-/](\d\d)[-/](\d\d)$/.exec(row.Start_Date ?? '') ?? [];
    if (month === '') continue;
    const weekday = new Date(Date.UTC(2000 + Number(year), Number(month) - 1, Number(day))).getUTCDay();
    const counts = loans.get(read(row.Person_ID)) ?? [0, 0, 0, 0, 0, 0, 0];
    counts[weekday] = (counts[weekday] ?? 0) + 1;
    loans.set(read(row.Person_ID), counts);
  }
  const clear = [...loans.values()].filter((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total >= 5 && Math.max(...counts) / total >= 0.4;
  });
  expect(clear.length).toBeGreaterThan(200);
  expect(clear.length).toBeLessThan(500);
});

test('notes say that it is demo data and hold quotes and commas', () => {
  const notes = [
    ...rows('vehicles').map((row) => row.Notes ?? ''),
    ...rows('media_partners').map((row) => row['Notes / Instructions'] ?? ''),
  ].filter((note) => note !== '');
  expect(notes.length).toBeGreaterThan(100);
  for (const note of notes) expect(note).toMatch(/^Demo data: /);
  expect(notes.some((note) => note.includes('"') && note.includes(','))).toBe(true);
});

test('options out of range are refused at once', () => {
  for (const options of [{ scale: 0 }, { scale: 2000 }, { night: -1 }, { night: 1.5 }, { changedShare: 2 }]) {
    expect(() => fleetExport('vehicles', options), JSON.stringify(options)).toThrow(RangeError);
  }
});
