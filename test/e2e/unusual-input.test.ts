import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  activityLine,
  FLEET_PATHS,
  loanLine,
  partnerFile,
  vehicleFile,
  vehicleLine,
} from '../support/fleet-files.ts';
import { liveTables } from '../support/live-tables.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;
const LOANS = FLEET_PATHS.FMS_LOAN_HISTORY_CSV_URL;
const ACTIVITY = FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL;
const BUDGETS = '/budget_spending.rpt';

beforeEach(() => answerFleet(fleet.server));

describe('the same rows in another form', () => {
  const plain = vehicleFile(10);
  const header =
    'VEHICLE ID,year,make,model,model_short_name,Office,Vin,Fleet,Registration_Exp,INSURANCE EXP,' +
    'current mileage,In_Service_Date,Expected Turn In Date,notes,color';
  const quoted = plain.replaceAll(
    /"([^"]*)"|([^,\n]+)/g,
    (_cell, inside, bare) => `"${String(inside ?? bare).replace(/"/g, '""')}"`,
  );

  test.each<[string, string | Buffer]>([
    ['a byte order mark', `\ufeff${plain}`],
    ['CRLF line ends', plain.replaceAll('\n', '\r\n')],
    ['every cell in quotes', quoted],
    ['no line end after a whole last line', plain.slice(0, -1)],
    ['blank lines between', plain.replaceAll('\n', '\n\n')],
    ['a header in any case, with spaces or underscores', `${header}\n${plain}`],
    ['a byte order mark before the header, and CRLF', `\ufeff${header}\n${plain}`.replaceAll('\n', '\r\n')],
    ['gzip', gzipSync(plain)],
  ])('%s changes nothing', async (_name, file) => {
    fleet.server.answer(VEHICLES, plain);
    await fleet.run({ tables: ['vehicles'] });
    const before = await liveTables(fleet, ['vehicles']);
    fleet.server.answer(VEHICLES, file);
    const result = await fleet.run({ tables: ['vehicles'] });
    expect(tableOf(result, 'vehicles')).toMatchObject({ status: 'completed', unchanged: 10, quarantined: 0 });
    expect(result.notices).toEqual([]);
    expect(await liveTables(fleet, ['vehicles'])).toEqual(before);
  });

  test('a header in another order with an unknown column is drift, reported on the first night only', async () => {
    const file = (unknown: string) =>
      `Office,${unknown},Name,person id\n` +
      Array.from({ length: 10 }, (_, at) => `Los Angeles,42,Partner ${at + 1},${at + 1}.0\n`).join('');
    fleet.server.answer(PARTNERS, file('Shoe Size'));
    const first = await fleet.run({ tables: ['media_partners'] });
    expect(tableOf(first, 'media_partners')).toMatchObject({ status: 'completed', inserted: 10 });
    expect(first.notices).toEqual(['media_partners: the source has columns that are not loaded: Shoe Size.']);
    expect(
      await fleet.rows(`SELECT name, office, address FROM media_partners WHERE person_id = '4'`),
    ).toEqual([{ name: 'Partner 4', office: 'Los Angeles', address: null }]);
    const second = await fleet.run({ tables: ['media_partners'] });
    expect(second.notices).toEqual([]);
    fleet.server.answer(PARTNERS, file('Hat Size'));
    const third = await fleet.run({ tables: ['media_partners'] });
    expect(third.notices).toEqual(['media_partners: the source has columns that are not loaded: Hat Size.']);
  });
});

describe('the budget spending feed', () => {
  const spent = 'vw,Los Angeles,"2,025",q1,"1,200.50"\nChevy,Los Angeles,2025,Q1,300\nCHEV,Dallas,2025,Q2,\n';

  test('without an address is skipped and not counted', async () => {
    const result = await fleet.run();
    expect(result).toMatchObject({
      status: 'completed',
      total_tables: 5,
      success_count: 5,
      failure_count: 0,
    });
    expect(tableOf(result, 'budgets')).toMatchObject({ status: 'skipped', success: false });
  });

  test('writes the amount used and nothing else, and never archives', async () => {
    fleet.env['FMS_BUDGET_SPENDING_CSV_URL'] = fleet.server.url + BUDGETS;
    await fleet.rows(`INSERT INTO budgets (office, fleet, year, quarter, budget_amount, amount_used)
      VALUES ('Los Angeles', 'VOLKSWAGEN', 2025, 'Q1', 5000, 1), ('Miami', 'AUDI', 2025, 'Q1', 700, 2)`);
    fleet.server.answer(BUDGETS, spent);
    const result = await fleet.run({ tables: ['budgets'] });
    expect(tableOf(result, 'budgets')).toMatchObject({
      status: 'completed',
      inserted: 2,
      updated: 1,
      archived: 0,
    });
    expect(
      await fleet.rows(
        `SELECT office, fleet, year, quarter, budget_amount, amount_used FROM budgets ORDER BY 2`,
      ),
    ).toEqual(
      [
        {
          office: 'Miami',
          fleet: 'AUDI',
          year: 2025,
          quarter: 'Q1',
          budget_amount: '700.00',
          amount_used: '2.00',
        },
        {
          office: 'Los Angeles',
          fleet: 'CHEVROLET',
          year: 2025,
          quarter: 'Q1',
          budget_amount: null,
          amount_used: '300.00',
        },
        {
          office: 'Dallas',
          fleet: 'CHEVROLET',
          year: 2025,
          quarter: 'Q2',
          budget_amount: null,
          amount_used: null,
        },
        {
          office: 'Los Angeles',
          fleet: 'VOLKSWAGEN',
          year: 2025,
          quarter: 'Q1',
          budget_amount: '5000.00',
          amount_used: '1200.50',
        },
      ].sort((a, b) => a.fleet.localeCompare(b.fleet)),
    );
  });

  test('without rows completes and leaves the budgets as they are', async () => {
    const before = await fleet.rows(`SELECT * FROM budgets ORDER BY office, fleet`);
    fleet.server.answer(BUDGETS, '');
    const result = await fleet.run({ tables: ['budgets'] });
    expect(tableOf(result, 'budgets')).toMatchObject({ status: 'completed', rows_processed: 0 });
    expect(await fleet.rows(`SELECT * FROM budgets ORDER BY office, fleet`)).toEqual(before);
    delete fleet.env['FMS_BUDGET_SPENDING_CSV_URL'];
  });
});

describe('addresses', () => {
  test('a seen table without one fails with "no URL configured", and the others are loaded', async () => {
    const before = await liveTables(fleet, ['media_partners']);
    fleet.env['FMS_PARTNERS_CSV_URL'] = ' ';
    const result = await fleet.run();
    fleet.env['FMS_PARTNERS_CSV_URL'] = fleet.server.url + PARTNERS;
    expect(result).toMatchObject({ status: 'completed_with_errors', success_count: 4, failure_count: 1 });
    expect(tableOf(result, 'media_partners').error).toMatch(/no URL configured.*FMS_PARTNERS_CSV_URL/);
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
  });

  test('without any the sync is off, says which variables turn it on, and opens no run', async () => {
    const urls = Object.keys(FLEET_PATHS);
    const runs = await fleet.rows(`SELECT count(*) FROM sync_runs`);
    for (const url of urls) delete fleet.env[url];
    const failure = await fleet.run().catch((error: unknown) => error);
    for (const [url, path] of Object.entries(FLEET_PATHS)) fleet.env[url] = fleet.server.url + path;
    expect(failure).toMatchObject({
      cause: { cause: { type: 'SyncOff', message: expect.stringContaining(urls[0] ?? '') } },
    });
    expect(await fleet.rows(`SELECT count(*) FROM sync_runs`)).toEqual(runs);
  });

  test('of the partners stay when only other tables are loaded', async () => {
    fleet.server.answer(PARTNERS, partnerFile(10));
    await fleet.run();
    const before = await liveTables(fleet, ['media_partners']);
    await fleet.run({ tables: ['vehicles'] });
    expect(await liveTables(fleet, ['media_partners'])).toEqual(before);
  });
});

describe('cells', () => {
  test('are read in every form the exports use', async () => {
    fleet.server.answer(
      VEHICLES,
      `${vehicleLine(1).replace('vin0001', ' wauÄ1 ').replace('"Clean, charged"', '"says ""hi""\ttwice\\n"')}\n`,
    );
    fleet.server.answer(
      LOANS,
      ['03-02-26', '03/02/2026', '2026-03-02', '3-2-2026']
        .map((day, at) => loanLine(at + 1, 1, day).replace(',1,', ',1234.0,'))
        .join('\n') + '\n',
    );
    fleet.server.answer(ACTIVITY, `${activityLine(1)}\n${activityLine(2).replace('A2,,', 'A2.0,77.0,')}\n`);
    for (const table of ['vehicles', 'loan_history', 'current_activity']) {
      await fleet.rows(`DELETE FROM ${table}`);
    }
    await fleet.run({ tables: ['vehicles', 'loan_history', 'current_activity'] });
    expect(
      await fleet.rows(`SELECT vin, notes, current_mileage, in_service_date, insurance_exp FROM vehicles`),
    ).toEqual([
      {
        vin: 'WAUÄ1',
        notes: 'says "hi"\ttwice\\n',
        current_mileage: 45210,
        in_service_date: '2024-03-01',
        insurance_exp: '2027-02-01',
      },
    ]);
    expect(await fleet.rows(`SELECT DISTINCT person_id, start_date, vin FROM loan_history`)).toEqual([
      { person_id: '1234', start_date: '2026-03-02', vin: 'VIN0001' },
    ]);
    expect(
      await fleet.rows(`SELECT activity_id, person_id, to_field FROM current_activity ORDER BY 1`),
    ).toEqual([
      { activity_id: 'A1', person_id: null, to_field: 'Someone' },
      { activity_id: 'A2', person_id: '77', to_field: 'Someone' },
    ]);
  });
});
