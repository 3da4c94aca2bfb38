import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { applySchedules } from '../../src/temporal/schedules.ts';
import { durasync, type Finished, type Variables } from '../support/durasync.ts';
import { booking } from '../support/fake-rentals.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { quickRentals } from '../support/quick-rentals.ts';
import { startRentalsHarness } from '../support/rentals-harness.ts';
import { workbook } from '../support/workbook.ts';

const { api, run, rows, database, client, target } = await startRentalsHarness();
const folder = await mkdtemp(join(tmpdir(), 'durasync-rentals-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const variables: Variables = {
  ...target.env,
  DURASYNC_HOME: join(folder, 'home'),
  DURASYNC_SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  DATABASE_URL: target.databaseUrl,
  TEMPORAL_ADDRESS: target.address,
  TEMPORAL_NAMESPACE: target.namespace,
};
const cli = (...args: string[]): Promise<Finished> => durasync(args, variables);

const HEADER =
  '#,Date,Customer Name,Contact,Function Date,Staff,Status,Category,Sub Category,Repeat count,Remarks';
const GOOD = [
  '1,14-11-2026,Anu Nair,98470 00001,24-12-2026,Asha,Trial,Suit,Tuxedo,0,likes blue',
  '2,15/11/2026,Biju Menon,484700002,,Ravi,Lost of sale,Suit,,2,too dear',
];
const BAD = [
  '3,31-02-2026,Chitra,98470 00003,,,,,,,',
  '4,16-11-2026,Deepa,98x,,,,,,,',
  '5,16-11-2026,,9847000005,,,,,,,',
];

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}
const csv = (...lines: readonly string[]): string => `${[HEADER, ...lines].join('\n')}\n`;

beforeEach(async () => {
  api.reset();
  await database.pool.query(`TRUNCATE rentals.stores, rentals.leads, rentals.reports, durasync.watermarks;
    DELETE FROM durasync.table_state`);
});

describe('import', { timeout: 90_000 }, () => {
  test('takes the good rows of a file, shows the bad ones by row and column, and is never held', async () => {
    const path = await file('Walk-ins SG Edapally.csv', csv(...GOOD, ...BAD));
    const done = await cli('import', 'walk-ins', path);
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toMatch(/row 4: enquiry_date: '31-02-2026' is not a date/);
    expect(done.stdout).toMatch(/row 5: phone: '98x' is not a phone number/);
    expect(done.stdout).toMatch(/row 6: name: is required and blank here/);
    expect(
      await rows(`SELECT lead_type, phone, store, enquiry_date, remarks FROM leads ORDER BY lead_type`),
    ).toEqual([
      {
        lead_type: 'enquiry',
        phone: '9847000001',
        store: 'Suitor Guy - Edappally',
        enquiry_date: '2026-11-14',
        remarks: 'likes blue',
      },
      expect.objectContaining({ lead_type: 'lossOfSale', phone: '0484700002', enquiry_date: '2026-11-15' }),
    ]);
    const [importRun] = await rows(`SELECT kind, trigger, status FROM sync_runs WHERE kind = 'import'`);
    expect(importRun).toEqual({ kind: 'import', trigger: 'upload', status: 'completed' });
  });

  test('updates a visit that is there, and keeps what people wrote', async () => {
    await cli('import', 'walk-ins', await file('a.csv', csv(GOOD[0] ?? '')), '--store', 'sg kottayam');
    await database.pool.query(
      `UPDATE leads SET remarks = 'mine', call_status = 'Connected', follow_up_flag = true`,
    );
    const changed = (GOOD[0] ?? '').replace('Asha', 'Ravi').replace('likes blue', 'likes red');
    const done = await cli(
      'import',
      'walk-ins',
      await file('b.csv', csv(changed)),
      '--store',
      'SG Kottayam',
      '--json',
    );
    expect(JSON.parse(done.stdout)).toMatchObject({
      errors: [],
      run: { tables: [{ updated: 1, inserted: 0 }] },
    });
    expect(await rows('SELECT attended_by, remarks, call_status, follow_up_flag, store FROM leads')).toEqual([
      {
        attended_by: 'Ravi',
        remarks: 'mine',
        call_status: 'Connected',
        follow_up_flag: true,
        store: 'Suitor Guy - Kottayam',
      },
    ]);
  });

  test('with --strict refuses a file with any bad row, and loads nothing of it', async () => {
    const path = await file('strict.csv', csv(...GOOD, ...BAD));
    const done = await cli('import', 'walk-ins', path, '--store', 'Z Edappal', '--strict');
    expect(done).toMatchObject({ code: 2 });
    expect(done.stdout).toContain('3 of 5 rows');
    expect(await rows('SELECT * FROM leads')).toEqual([]);
  });

  test('says of a store that nobody knows how to name it', async () => {
    const path = await file('nowhere.csv', csv(GOOD[0] ?? ''));
    const done = await cli('import', 'walk-ins', path, '--store', 'Mumbai', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({
      errors: [
        { row: 2, reasons: [expect.stringContaining("store: 'Mumbai' is not a store that is known")] },
      ],
    });
  });

  test('takes an Excel workbook with dates and numbers', async () => {
    const path = await file(
      'Loss of sale Zurocci Kottakkal.xlsx',
      workbook([
        ['Date', 'Customer Name', 'Contact', 'Reason'],
        [{ serialDay: 46_340 }, 'Anu Nair', 9_847_000_001, 'size'],
      ]),
    );
    const done = await cli('import', 'loss-of-sale', path);
    expect(done).toMatchObject({ code: 0 });
    expect(
      await rows(
        'SELECT lead_type, phone, store, enquiry_date, reason_collected_from_store AS reason FROM leads',
      ),
    ).toEqual([
      {
        lead_type: 'lossOfSale',
        phone: '9847000001',
        store: 'Zorucci - Kottakkal',
        enquiry_date: '2026-11-14',
        reason: 'size',
      },
    ]);
  });

  test.each([
    [
      'an unknown kind',
      ['import', 'gossip', '/nowhere'],
      2,
      'Known: operations, budgets, walk-ins, loss-of-sale, sales, users.',
    ],
    ['a file that is not there', ['import', 'walk-ins', '/nowhere.csv'], 2, 'There is no file'],
  ])('refuses %s', async (_what, args, code, message) => {
    const done = await cli(...args);
    expect(done.code).toBe(code);
    expect(done.stderr).toContain(message);
  });

  test('refuses a workbook without the columns, and a file that is no workbook', async () => {
    const other = await file(
      'other.xlsx',
      workbook([
        ['Car', 'Price', 'Colour'],
        ['a', 1, 'b'],
      ]),
    );
    expect((await cli('import', 'walk-ins', other)).stderr).toContain('the first row is not the header');
    const broken = await file('broken.xlsx', Buffer.from('PK no zip'));
    expect((await cli('import', 'walk-ins', broken)).stderr).toContain(
      'this ZIP archive is cut off or damaged',
    );
  });
});

describe('commands about leads', { timeout: 90_000 }, () => {
  test('leads close and POST /api/leads/{id}/close move a lead to reports, and no cycle brings it back', async () => {
    api.answer('bookings', 5, [booking(1), booking(2)]);
    await run();
    const ids = (await rows('SELECT lead_id FROM leads ORDER BY booking_no')).map(({ lead_id }) =>
      Number(lead_id),
    );
    expect(await cli('leads', 'close', String(ids[0]))).toMatchObject({ code: 0 });
    const http = await startHttpHarness({ database, client });
    const call = `POST /api/leads/${ids[1]}/close`;
    expect(await http.call(call, { token: http.tokens.viewer })).toMatchObject({ status: 403 });
    expect(await http.call(call)).toMatchObject({
      status: 200,
      body: { lead_id: ids[1], closed_by: 'token:operator' },
    });
    expect(await http.call(call)).toMatchObject({ status: 404 });
    await run();
    expect(await rows('SELECT * FROM leads')).toEqual([]);
    expect(await rows(`SELECT booking_no, snapshot->>'call_status' AS call FROM reports ORDER BY 1`)).toEqual(
      [
        { booking_no: 'BK1', call: 'Not Called' },
        { booking_no: 'BK2', call: 'Not Called' },
      ],
    );
    expect(await cli('leads', 'close', '999999')).toMatchObject({ code: 2 });
  });

  test('dedupe shows what has become one, and with --live keeps the oldest', async () => {
    api.answer('bookings', 5, [booking(1), booking(2)]);
    await run();
    expect(await cli('verify', 'data')).toMatchObject({ code: 0 });
    await database.pool.query(
      `UPDATE leads SET booking_no = 'BK1', phone = '9847000001', created_at = created_at + interval '1 hour'
       WHERE booking_no = 'BK2'`,
    );
    const shown = JSON.parse((await cli('dedupe', '--json')).stdout);
    expect(shown).toMatchObject({ dry_run: true, surplus: 1, removed: 0 });
    expect(await rows('SELECT * FROM leads')).toHaveLength(2);
    const verified = await cli('verify', 'data', '--json');
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout).lead_types[0]).toMatchObject({ leads: 2, duplicates: 1 });
    expect(JSON.parse((await cli('dedupe', '--live', '--json')).stdout)).toMatchObject({ removed: 1 });
    expect(await rows('SELECT name FROM leads')).toEqual([{ name: 'Customer 1' }]);
    await run();
    expect(await rows('SELECT name FROM leads')).toEqual([{ name: 'Customer 1' }]);
  });

  test('verify sync names the locations that are behind', async () => {
    await run();
    expect(await cli('verify', 'sync')).toMatchObject({ code: 0 });
    await database.pool.query(`UPDATE durasync.watermarks SET value = '2026-01-01' WHERE name = 'returns/7'`);
    const done = await cli('verify', 'sync', '--json');
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stdout).tables[2]).toMatchObject({
      table: 'returns',
      locations: 21,
      behind: ['7'],
    });
  });

  test('sync-all also loads the files of DURASYNC_IMPORT_DIR and moves those that went well to done', async () => {
    const inbox = join(folder, 'inbox');
    await mkdir(inbox);
    await writeFile(join(inbox, 'walk-ins sg kottayam.csv'), csv(GOOD[0] ?? ''));
    await writeFile(join(inbox, 'loss of sale sg kottayam.csv'), 'no,table,at all\n1,2,3\n');
    api.answer('bookings', 5, [booking(1)]);
    const done = await durasync(['sync-all'], { ...variables, DURASYNC_IMPORT_DIR: inbox });
    expect(done.code).toBe(1);
    expect((await readdir(inbox)).sort()).toEqual(['done', 'loss of sale sg kottayam.csv']);
    expect(await rows('SELECT lead_type FROM leads ORDER BY 1')).toEqual([
      { lead_type: 'bookingconfirmation' },
      { lead_type: 'enquiry' },
    ]);
  });
});

describe('the schedule', { timeout: 60_000 }, () => {
  test.each(['*/10 * * * *', '0 9-17 * * *'])('takes %s and shows its next three runs', async (cron) => {
    await applySchedules({ client, syncs: [quickRentals], env: { ...target.env, API_SYNC_TIME: cron } });
    const list = JSON.parse((await cli('schedules', 'list', '--json')).stdout) as Record<string, unknown>[];
    const ours = list.find(({ id }) => id === 'rentals-api');
    expect(ours).toMatchObject({ sync: 'rentals', paused: false, spec: `${cron} UTC` });
    expect(ours?.['nextTimes']).toHaveLength(3);
    const { policies, action } = await client.schedule.getHandle('rentals-api').describe();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 300_000 });
    expect(action).toMatchObject({ workflowRunTimeout: 570_000 });
  });

  test('refuses a wrong one at start with its name and the reason', async () => {
    const done = await durasync(['status'], { ...variables, API_SYNC_TIME: '*/10' });
    expect(done.code).toBe(2);
    expect(done.stderr).toMatch(
      /API_SYNC_TIME is '\*\/10': it must be a cron text of five fields.* but it has 1 field/,
    );
  });

  test('lets a run take less than twice the time to the next one', async () => {
    await applySchedules({
      client,
      syncs: [quickRentals],
      env: { ...target.env, API_SYNC_TIME: '*/2 * * * *' },
    });
    const { action } = await client.schedule.getHandle('rentals-api').describe();
    expect(action).toMatchObject({ workflowRunTimeout: 228_000 });
  });
});
