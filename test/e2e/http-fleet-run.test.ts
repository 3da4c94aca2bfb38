import { expect, test } from 'vitest';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { answerFleet, startFleetHarness } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const { call } = await startHttpHarness({ database: fleet.database, client: fleet.client, env: fleet.env });
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;

test('a run that is waited for answers with its result, which the history then shows', async () => {
  const { status, body } = await call('POST /api/admin/trigger-sync?wait=true');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    sync: 'fleet',
    status: 'completed',
    success_count: 5,
    total_rows_processed: 50,
  });
  const shown = await call(`GET /api/runs/${String(body['run_id'])}`);
  expect(shown.body).toEqual({
    ...body,
    workflow_id: expect.any(String),
    origin: { kind: 'sync', scope: null, trigger: 'manual', triggered_by: 'token:operator', window: null },
    decisions: [],
    reviews: expect.any(Array),
  });
  expect((await call('GET /api/admin/sync-status')).body['last_run']).toMatchObject({
    run_id: body['run_id'],
    triggered_by: 'token:operator',
    status: 'completed',
  });
  expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 10 }]);
});

test('a plan shows what would change and changes nothing', async () => {
  fleet.server.answer(VEHICLES, vehicleFile(11));
  const { status, body } = await call('POST /api/syncs/fleet/runs?wait=true', {
    body: { kind: 'plan', tables: ['vehicles'] },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'planned', tables: [{ table: 'vehicles', inserted: 1 }] });
  const shown = await call(`GET /api/runs/${String(body['run_id'])}`);
  expect(shown.body['reviews']).toMatchObject([
    { table: 'vehicles', inserted: 1, samples: { inserted: [{ vin: 'VIN0011' }] } },
  ]);
  expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 10 }]);
  answerFleet(fleet.server);
});

async function heldRun(): Promise<string> {
  fleet.server.answer(VEHICLES, vehicleFile(4));
  const { status, body } = await call('POST /api/syncs/fleet/runs?wait=true', {
    body: { tables: ['vehicles'] },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'held' });
  return String(body['run_id']);
}

test('a held run that is rejected leaves its table as it was, and says who did it and why', async () => {
  const id = await heldRun();
  const { status, body } = await call(`POST /api/runs/${id}/reject?wait=true`, {
    body: { reason: 'half a file' },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'rejected' });
  expect(body['error_message']).toContain('token:operator: half a file');
  expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 10 }]);
  const shown = await call(`GET /api/runs/${id}`);
  expect(shown.body['decisions']).toMatchObject([
    { actor: 'token:operator', action: 'reject', reason: 'half a file' },
  ]);
});

test('a held run that is approved merges what was shown', async () => {
  const id = await heldRun();
  const { reviews } = (await call(`GET /api/runs/${id}`)).body as unknown as {
    reviews: { missing: number }[];
  };
  expect(reviews).toMatchObject([{ table: 'vehicles', missing: 6 }]);
  const { status, body } = await call(`POST /api/runs/${id}/approve`);
  expect(status).toBe(202);
  expect(body).toEqual({ run_id: id, accepted: 'approve' });
  await expect.poll(async () => (await call(`GET /api/runs/${id}`)).body['status']).toBe('completed');
  expect(await fleet.rows('SELECT count(*) FROM vehicles')).toEqual([{ count: 4 }]);
  expect((await call(`POST /api/runs/${id}/approve`)).status).toBe(409);
});
