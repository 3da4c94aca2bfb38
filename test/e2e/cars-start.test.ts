import { expect, test } from 'vitest';
import { cars } from '../../src/syncs/cars/index.ts';
import { applySchedules, listSchedules, triggerSchedule } from '../../src/temporal/schedules.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { carRecords } from '../support/fake-auctions.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const { auctions, client, database, rows, target } = await startCarsHarness();
const { call, tokens } = await startHttpHarness({ database, client, env: target.env });
auctions.cars = carRecords(120);

const CALL = 'POST /api/admin/cars-sync?wait=true';

test.each([
  ['incremental', 50],
  ['full', 120],
])('cars are synced over HTTP: %s', async (type, seen) => {
  const { status, body } = await call(CALL, { body: { action: 'status_refresh', type } });
  expect(status).toBe(200);
  expect(body).toMatchObject({ sync: 'cars', status: 'completed', total_rows_processed: seen });
  const log = await rows(`SELECT sync_type FROM cars_sync_log WHERE id = '${String(body['run_id'])}'`);
  expect(log).toEqual([{ sync_type: type }]);
});

test('without waiting it answers with the ids of the run', async () => {
  const { status, body } = await call('POST /api/admin/cars-sync', {
    body: { action: 'status_refresh', type: 'incremental' },
  });
  expect(status).toBe(202);
  expect(body).toMatchObject({ workflow_id: 'sync/cars', started: true });
  await client.workflow.getHandle('sync/cars', String(body['run_id'])).result();
});

test.each([
  [{ action: 'status_refresh' }],
  [{ action: 'status_refresh', type: 'all' }],
  [{ action: 'delete', type: 'full' }],
  [undefined],
])('an unclear request is refused: %j', async (body) => {
  expect((await call(CALL, { body })).status).toBe(400);
});

test('a viewer may not start it', async () => {
  const body = { action: 'status_refresh', type: 'incremental' };
  expect((await call(CALL, { body, token: tokens.viewer })).status).toBe(403);
});

test('the schedules run it every six hours and in full on Sundays', async () => {
  await applySchedules({ client, syncs: [cars], env: target.env });
  const times = new Map((await listSchedules(client)).map(({ id, nextTimes }) => [id, nextTimes]));
  const hours = times.get('cars-six-hourly')?.map((time) => time.slice(11));
  expect(hours?.every((time) => /^(00|06|12|18):00:00\.000Z$/.test(time))).toBe(true);
  const [sunday = ''] = times.get('cars-full-weekly') ?? [];
  expect([new Date(sunday).getUTCDay(), sunday.slice(11)]).toEqual([0, '03:00:00.000Z']);

  const triggered = await triggerSchedule(client, 'cars-full-weekly');
  const runId = triggered.outcome === 'requested' ? '' : triggered.runId;
  await waitUntil('the scheduled run has completed', async () => {
    const [log] = await rows(
      `SELECT sync_type, status, cars_synced FROM cars_sync_log WHERE id = '${runId}'`,
    );
    return JSON.stringify(log) === '{"sync_type":"full","status":"completed","cars_synced":120}';
  });
});

test('without an address it is off, and its schedules are paused', async () => {
  await applySchedules({ client, syncs: [cars], env: {} });
  const notes = (await listSchedules(client)).filter(({ sync }) => sync === 'cars');
  expect(notes).toHaveLength(2);
  for (const { paused, note } of notes) {
    expect(paused).toBe(true);
    expect(note).toContain('Set AUCTIONS_API_BASE_URL');
  }
});
