import { request } from 'node:http';
import { expect, test } from 'vitest';
import type { RunResult } from '../../src/domain/run-result.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { startFleetHarness } from '../support/sync-harness.ts';
import { workbook, workbookOf } from '../support/workbook.ts';

const { database, client, rows } = await startFleetHarness();
const { url, tokens } = await startHttpHarness({ database, client });

interface Sent {
  readonly file?: Buffer;
  readonly name?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

async function send(path: string, { file, name = 'a.xlsx', fields = {} }: Sent) {
  const form = new FormData();
  if (file) form.append('file', new Blob([new Uint8Array(file)]), name);
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  const response = await fetch(`${url}/api/uploads/${path}`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${tokens.operator}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const CAPACITY = [
  ['Office', 'Drivers Per Day', 'Notes'],
  ['Los Angeles', 4, 'none'],
  ['Miami', { formula: '2+3', value: 5 }, null],
  ['Boston', 'many', null],
] as const;
const HOLIDAYS = [
  ['Office', 'Date', 'Holiday Name', 'Type', 'All_Day', 'Start_Time', 'End_Time', 'Notea'],
  ['Miami', { serialDay: 46_352 }, 'Thanksgiving', 'US', 'Yes', null, null, 'closed'],
  ['Miami', '12/24/26', 'Christmas Eve', 'US', false, { serialTime: 0.5 }, '5:30 PM', null],
] as const;
const RULES = [
  [
    'Make',
    'Rank',
    'Loan Cap Per Year',
    ':ub Rate Requirement',
    'Cooldown Period',
    'Soft vs. Hard Contraint',
    'Rule Description',
    'Notes',
  ],
  ['Audi', 'A+', 12, '50%', '30 days', 'Soft', 'as agreed', null],
] as const;
const operations = workbookOf({
  ops_capacity: CAPACITY,
  holiday_blackout_dates: HOLIDAYS,
  rules: RULES,
});

test('a preview names every bad cell by sheet, row, column, value and remedy, and loads nothing', async () => {
  const { status, body } = await send('operations/preview', {
    file: operations,
    name: '../../etc/Ops 2026.xlsx',
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    kind: 'operations',
    file: 'Ops 2026.xlsx',
    rows: 6,
    bad_rows: 1,
    tables: [
      { table: 'ops_capacity', rows: 3, bad_rows: 1 },
      { table: 'holiday_blackout_dates', rows: 2, bad_rows: 0 },
      { table: 'rules', rows: 1, bad_rows: 0 },
    ],
    errors: [
      {
        sheet: 'ops_capacity',
        row: 4,
        cells: [
          {
            column: 'Drivers Per Day',
            value: 'many',
            problem: "'many' is not a whole number",
            remedy: 'Write a whole number.',
          },
        ],
      },
    ],
  });
  expect(await rows('SELECT 1 FROM ops_capacity')).toEqual([]);
  const strict = await send('operations', {
    fields: { upload_id: String(body['upload_id']), strict: 'true' },
  });
  expect(strict).toMatchObject({ status: 422, body: { detail: expect.stringContaining('1 of 6 rows') } });

  const loaded = await send('operations?wait=true', { fields: { upload_id: String(body['upload_id']) } });
  expect(loaded.status).toBe(200);
  expect((loaded.body as unknown as RunResult).tables).toMatchObject([
    { table: 'holiday_blackout_dates', inserted: 2 },
    { table: 'ops_capacity', inserted: 2, quarantined: 1 },
    { table: 'rules', inserted: 1 },
  ]);
  expect(await rows('SELECT office, drivers_per_day, notes FROM ops_capacity ORDER BY 1')).toEqual([
    { office: 'Los Angeles', drivers_per_day: 4, notes: 'none' },
    { office: 'Miami', drivers_per_day: 5, notes: null },
  ]);
  expect(
    await rows('SELECT date, all_day, start_time, end_time, notes FROM holiday_blackout_dates ORDER BY 1'),
  ).toEqual([
    { date: '2026-11-26', all_day: true, start_time: null, end_time: null, notes: 'closed' },
    { date: '2026-12-24', all_day: false, start_time: '12:00:00', end_time: '17:30:00', notes: null },
  ]);
  expect(await rows('SELECT pub_rate_requirement, soft_vs_hard_constraint FROM rules')).toEqual([
    { pub_rate_requirement: '50%', soft_vs_hard_constraint: 'Soft' },
  ]);
});

test('budgets write the amounts alone, and an undo takes them back', async () => {
  await rows(`INSERT INTO budgets (office, fleet, year, quarter, amount_used)
              VALUES ('Los Angeles', 'VOLKSWAGEN', 2026, 'Q1', 120)`);
  const file = workbook([
    ['Office', 'Fleet', 'Year', 'Quarter', 'Budget #'],
    ['Los Angeles', 'vw', '2,026', 'q1', 2999.9999999999995],
    ['Miami', 'Chevy', 2026, 'Q2', '$1,200.50'],
  ]);
  const { status, body } = await send('budgets?wait=true', { file });
  expect({ status, body }).toMatchObject({ status: 200, body: { status: 'completed' } });
  const budgets = () => rows('SELECT office, fleet, budget_amount, amount_used FROM budgets ORDER BY 1');
  expect(await budgets()).toEqual([
    { office: 'Los Angeles', fleet: 'VOLKSWAGEN', budget_amount: '3000.00', amount_used: '120.00' },
    { office: 'Miami', fleet: 'CHEVROLET', budget_amount: '1200.50', amount_used: null },
  ]);
  const undone = await fetch(`${url}/api/runs/${String(body['run_id'])}/undo?wait=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.operator}` },
  });
  expect(undone.status).toBe(200);
  expect(await budgets()).toEqual([
    { office: 'Los Angeles', fleet: 'VOLKSWAGEN', budget_amount: null, amount_used: '120.00' },
  ]);
});

test('what is no form, no file, no kind or no workbook is refused with what to do', async () => {
  const json = await fetch(`${url}/api/uploads/budgets`, {
    method: 'POST',
    body: '{}',
    headers: { authorization: `Bearer ${tokens.operator}`, 'content-type': 'application/json' },
  });
  expect(json.status).toBe(415);
  expect(await send('budgets', {})).toMatchObject({ status: 400 });
  expect(await send('nothing', { file: operations })).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('operations, budgets') },
  });
  expect(await send('budgets', { file: Buffer.from('%PDF-1.7'), name: 'a.xlsx' })).toMatchObject({
    status: 422,
    body: { detail: expect.stringMatching(/a\.xlsx: this is a PDF document/) },
  });
  expect(await send('operations', { file: workbookOf({ rules: RULES }) })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining("lacks the sheets 'ops_capacity', 'holiday_blackout_dates'") },
  });
  expect(await send('budgets', { fields: { upload_id: 'nothing' } })).toMatchObject({ status: 404 });
});

const MB = 1024 * 1024;

test('a body that is too large is refused at its head, and in the middle when it does not say how large it is', async () => {
  const message = 'an upload takes at most 50 MB';
  const answerTo = (headers: Record<string, string>, megabytes: number) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const call = request(
        `${url}/api/uploads/budgets`,
        {
          method: 'POST',
          headers: {
            authorization: `Bearer ${tokens.operator}`,
            'content-type': 'multipart/form-data; boundary=x',
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.on('data', (piece: Buffer) => (text += piece.toString()));
          response.on('end', () => resolve({ status: response.statusCode, text }));
          response.on('error', () => resolve({ status: response.statusCode, text }));
        },
      );
      call.on('error', reject);
      for (let sent = 0; sent < megabytes; sent += 1) call.write(Buffer.alloc(MB));
      if (megabytes === 0) call.flushHeaders();
      else call.end();
    });
  expect(await answerTo({ 'content-length': String(60 * MB) }, 0)).toEqual({
    status: 413,
    text: expect.stringContaining(message),
  });
  expect(await answerTo({}, 52)).toEqual({ status: 413, text: expect.stringContaining(message) });
});
