import { beforeEach, describe, expect, test } from 'vitest';
import { booking, returned } from '../support/fake-rentals.ts';
import { startRentalsHarness } from '../support/rentals-harness.ts';
import { tableOf } from '../support/sync-harness.ts';

const { api, run, rows, database, client } = await startRentalsHarness();

beforeEach(async () => {
  api.reset();
  await database.pool.query(`TRUNCATE rentals.stores, rentals.leads, rentals.reports, durasync.watermarks;
    DELETE FROM durasync.table_state`);
});

const leads = () =>
  rows(`SELECT lead_type, booking_no, phone, name, store, call_status FROM leads ORDER BY 1, 2`);

describe('a cycle of the rentals', () => {
  test('reads the stores and both reports of 21 locations, with the headers and body that the API wants', async () => {
    api.answer('bookings', 5, { dataSet: { data: [booking(1)] } });
    api.answer('returns', 22, [returned(2)]);
    const result = await run();
    expect(result).toMatchObject({ status: 'completed', total_tables: 3, total_rows_processed: 5 });
    expect(result.notices).toEqual([
      'bookings: 21/21 locations read, 0 errors.',
      'returns: 21/21 locations read, 0 errors.',
    ]);
    for (const report of ['bookings', 'returns'] as const) {
      expect(new Set(api.calledFor(report)).size).toBe(21);
      expect(api.calledFor(report)).toHaveLength(21);
      expect(api.calledFor(report)).not.toContain('40');
    }
    const call = api.calls.find(({ path }) => path === '/api/Reports/GetBookingReport');
    expect(call?.headers).toMatchObject({
      authorization: 'Bearer rental-s3cret',
      'content-type': 'application/json-patch+json',
      accept: 'text/plain',
    });
    expect(call?.body).toEqual({
      bookingNo: '',
      dateFrom: '',
      dateTo: '',
      userName: '',
      months: '12',
      fromLocation: '',
      userID: '',
      locationID: expect.stringMatching(/^\d+$/),
    });
    expect(await leads()).toEqual([
      {
        lead_type: 'bookingconfirmation',
        booking_no: 'BK1',
        phone: '9847000001',
        name: 'Customer 1',
        store: 'Suitor Guy - Trivandrum',
        call_status: 'Not Called',
      },
      expect.objectContaining({ lead_type: 'return', booking_no: 'BK2', store: 'SG Demo' }),
    ]);
    expect(await rows(`SELECT store FROM stores ORDER BY id`)).toHaveLength(3);
  });

  test('a later one asks for seven days and one month, skips what is there and touches no edit', async () => {
    api.answer('bookings', 5, { data: [booking(1)] });
    await run();
    await database.pool.query(
      `UPDATE leads SET call_status = 'Connected', remarks = 'mine', name = 'By hand'`,
    );
    const [before] = await rows('SELECT * FROM leads');
    api.calls.length = 0;
    api.answer('bookings', 5, { data: [booking(1, { remarks: 'theirs', price: 9 }), booking(2)] });
    const result = await run();
    expect(tableOf(result, 'bookings')).toMatchObject({ inserted: 1, updated: 0, skipped: 1, unchanged: 0 });
    expect(await rows(`SELECT * FROM leads WHERE booking_no = 'BK1'`)).toEqual([before]);
    const today = new Date().toISOString().slice(0, 10);
    const weekAgo = new Date(Date.now() - 7 * 86_400_000).toISOString().slice(0, 10);
    const asked = api.calls.filter(({ path }) => path.includes('Reports'));
    expect(asked).toHaveLength(42);
    for (const { body } of asked)
      expect(body).toMatchObject({ dateFrom: weekAgo, dateTo: today, months: '1' });
  });

  test('an idle one takes one step for each table, besides the plan and the end', async () => {
    api.answer('bookings', 5, { data: [booking(1), booking(2)] });
    await run();
    const result = await run();
    const [row] = await rows(`SELECT workflow_id FROM sync_runs WHERE run_id = '${result.run_id}'`);
    const { events = [] } = await client.workflow
      .getHandle(String(row?.['workflow_id']), result.run_id)
      .fetchHistory();
    const steps = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes);
    expect(steps.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)).toEqual([
      'planRun',
      'stageTable',
      'stageTable',
      'stageTable',
      'finishRun',
    ]);
    expect(events?.length).toBeLessThanOrEqual(steps.length * 8);
    expect(tableOf(result, 'bookings')).toMatchObject({ status: 'completed', skipped: 2, inserted: 0 });
    expect(result.notices).toContain('bookings: 21/21 locations read, 0 errors.');
  });

  test('a lead that was closed is not created again', async () => {
    api.answer('bookings', 5, { data: [booking(1)] });
    await database.pool
      .query(`INSERT INTO reports (lead_id, lead_type, booking_no, phone, name, store, closed_by)
      VALUES (1, 'bookingconfirmation', 'BK1', '9847000001', 'Customer 1', 'Suitor Guy - Trivandrum', 'test')`);
    const result = await run();
    expect(tableOf(result, 'bookings')).toMatchObject({ status: 'completed', inserted: 0, skipped: 1 });
    expect(await leads()).toEqual([]);
  });
});

describe('a location that fails', () => {
  test('is reported and keeps its old window; the others are read', async () => {
    await run();
    await database.pool.query(
      `UPDATE durasync.watermarks SET value = '2026-10-01' WHERE name = 'bookings/7'`,
    );
    api.answer('bookings', 7, (_call, response) => void response.writeHead(500).end('out of order'));
    api.answer('bookings', 8, { data: [booking(3)] });
    api.calls.length = 0;
    const result = await run();
    expect(result.status).toBe('completed');
    expect(result.notices.join('\n')).toMatch(
      /bookings: 20\/21 locations read, 1 error\.\nbookings: location 7, Zorucci - Perinthalmanna, keeps its old window.*500/,
    );
    expect(JSON.stringify(result)).not.toMatch(/rental-s3cret/);
    expect(tableOf(result, 'bookings')).toMatchObject({ inserted: 1 });
    expect(api.calledFor('bookings').filter((id) => id === '7')).toHaveLength(3);
    const marks = await rows(
      `SELECT name, value FROM watermarks WHERE name IN ('bookings/7', 'bookings/8') ORDER BY 1`,
    );
    expect(marks).toEqual([
      { name: 'bookings/7', value: '2026-10-01' },
      { name: 'bookings/8', value: new Date().toISOString().slice(0, 10) },
    ]);
    api.answer('bookings', 7, null);
    api.calls.length = 0;
    await run();
    const asked = api.calls.find(({ path, body }) => path.includes('Booking') && body['locationID'] === '7');
    expect(asked?.body).toMatchObject({ dateFrom: '2026-09-24' });
    expect(Number(asked?.body['months'])).toBeGreaterThan(1);
  });

  test('fails the table when all do, and stores and returns go on', async () => {
    for (let id = 1; id <= 23; id += 1) api.answer('bookings', id, '<html><body>Please log in</body></html>');
    api.answer('returns', 3, { result: [returned(1)] });
    const result = await run();
    expect(result).toMatchObject({ status: 'completed_with_errors', success_count: 2, failure_count: 1 });
    expect(tableOf(result, 'bookings').error).toMatch(/0\/21 locations read.*web page, perhaps a login/);
    expect(tableOf(result, 'returns')).toMatchObject({ inserted: 1 });
  });

  test('of the store list leaves the known locations', async () => {
    api.stores = (_call, response) => void response.writeHead(404).end();
    const result = await run();
    expect(tableOf(result, 'stores').status).toBe('failed');
    expect(api.calledFor('bookings')).toHaveLength(20);
    expect(result.notices.join()).toContain('only the known locations were read');
  });
});

describe('named days', () => {
  test('are asked for and move no watermark', async () => {
    api.answer('bookings', 5, { data: [booking(1)] });
    const result = await run({ tables: ['bookings'], from: '2026-01-01', to: '2026-01-11' });
    expect(tableOf(result, 'bookings')).toMatchObject({ inserted: 1 });
    const asked = api.calls.filter(({ path }) => path.includes('Reports'));
    expect(asked).toHaveLength(21);
    for (const { body } of asked) {
      expect(body).toMatchObject({ dateFrom: '2026-01-01', dateTo: '2026-01-10', months: '1' });
    }
    expect(await rows('SELECT * FROM watermarks')).toEqual([]);
    expect(
      await rows(`SELECT window_start, window_end FROM sync_runs WHERE run_id = '${result.run_id}'`),
    ).toEqual([{ window_start: '2026-01-01', window_end: '2026-01-11' }]);
  });
});
