import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { syncs } from '../../src/syncs/index.ts';
import { applySchedules } from '../../src/temporal/schedules.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const env = {
  FMS_VEHICLES_CSV_URL: 'https://ann:pw1@fms.example.com:8443/active_vehicles.rpt?auth=s3cret',
  FMS_PARTNERS_CSV_URL: 'https://fms.example.com/s3cret/media_partners.rpt',
  GOOGLE_MAPS_API_KEY: 'AIza-s3cret',
  SYNC_HOUR: '3',
  SYNC_MINUTE: '15',
  SYNC_TIMEZONE: 'Europe/Berlin',
};
await applySchedules({ client, syncs, env });
const { call, tokens, url } = await startHttpHarness({ database, client, env });

const audited = async (subject: string): Promise<Record<string, unknown>[]> => {
  const query = 'SELECT actor, action, detail FROM durasync.audit_log WHERE subject = $1 ORDER BY id';
  return (await database.pool.query(query, [subject])).rows;
};

describe('the fleet administration', () => {
  test('sync-status says when it runs, and changes when its schedule is paused', async () => {
    const { status, body } = await call('GET /api/admin/sync-status');
    expect(status).toBe(200);
    expect(body).toEqual({
      scheduler_running: true,
      next_sync_time: expect.stringMatching(/T0[12]:15:00.000Z$/),
      sync_hour: 3,
      sync_minute: 15,
      sync_enabled: true,
      sync_timezone: 'Europe/Berlin',
      paused_because: null,
      last_run: null,
    });
    await call('POST /api/schedules/fleet-nightly/pause', { body: { reason: 'stocktaking' } });
    const paused = (await call('GET /api/admin/sync-status')).body;
    expect(paused).toMatchObject({ scheduler_running: false, next_sync_time: null });
    expect(paused['paused_because']).toContain('stocktaking');
    await call('POST /api/schedules/fleet-nightly/resume');
    expect((await call('GET /api/admin/sync-status')).body).toMatchObject({ scheduler_running: true });
  });

  test('sync-config shows scheme and host of addresses and never a secret', async () => {
    const { status, body } = await call('GET /api/admin/sync-config', { token: tokens.viewer });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      off: null,
      settings: {
        FMS_VEHICLES_CSV_URL: 'https://fms.example.com:8443/…',
        FMS_PARTNERS_CSV_URL: 'https://fms.example.com/…',
        FMS_LOAN_HISTORY_CSV_URL: null,
        GOOGLE_MAPS_API_KEY: '***',
        SYNC_HOUR: 3,
        SYNC_TIMEZONE: 'Europe/Berlin',
      },
      manual_only: ['operations_data', 'budgets'],
    });
    expect(body['tables']).toContainEqual({
      table: 'media_partners',
      setting: 'FMS_PARTNERS_CSV_URL',
      url: 'https://fms.example.com/…',
    });
    expect(JSON.stringify(body)).not.toMatch(/s3cret|pw1|ann/);
  });
});

describe('the syncs', () => {
  test('lists every sync, and one with its tables', async () => {
    const list = (await call('GET /api/syncs')).body as unknown as { name: string }[];
    expect(list.map(({ name }) => name)).toEqual(syncs.map(({ name }) => name));
    const { body } = await call('GET /api/syncs/fleet');
    expect(body).toMatchObject({
      name: 'fleet',
      off: null,
      time_zone: 'Europe/Berlin',
      schedules: ['fleet-nightly'],
      last_run: null,
    });
    expect(body['tables']).toContainEqual({ name: 'vehicles', archives: true, optional: false });
    expect((await call('GET /api/syncs/nothing')).status).toBe(404);
  });
});

describe('the schedules', () => {
  test('are listed with their next three times', async () => {
    const list = (await call('GET /api/schedules')).body as unknown as Record<string, unknown>[];
    const nightly = list.find(({ id }) => id === 'fleet-nightly');
    expect(nightly).toMatchObject({ sync: 'fleet', spec: 'daily 03:15 Europe/Berlin', paused: false });
    expect(nightly?.['next_times']).toHaveLength(3);
  });

  test('pause, resume and trigger are recorded with who and why', async () => {
    const body = { reason: 'a test' };
    expect(await call('POST /api/schedules/fleet-nightly/pause', { body })).toMatchObject({
      status: 200,
      body: { id: 'fleet-nightly', paused: true },
    });
    expect(await call('POST /api/schedules/fleet-nightly/resume')).toMatchObject({
      status: 200,
      body: { id: 'fleet-nightly', paused: false },
    });
    const triggered = await call('POST /api/schedules/fleet-nightly/trigger');
    expect(triggered).toMatchObject({ status: 202, body: { outcome: 'started' } });
    const { workflow_id: workflowId, run_id: runId } = triggered.body;
    const run = client.workflow.getHandle(String(workflowId), String(runId));
    expect((await run.describe()).type).toBe('runSync');
    await run.terminate();
    expect((await audited('fleet-nightly')).slice(-3)).toMatchObject([
      { actor: 'token:operator', action: 'pause schedule', detail: { reason: 'a test' } },
      { actor: 'token:operator', action: 'resume schedule' },
      { actor: 'token:operator', action: 'trigger schedule' },
    ]);
  });

  test.each(['pause', 'resume', 'trigger'])('%s of an unknown one lists those there are', async (verb) => {
    const { status, body } = await call(`POST /api/schedules/nothing/${verb}`);
    expect(status).toBe(404);
    expect(body['detail']).toContain('fleet-nightly');
    expect(await audited('nothing')).toEqual([]);
  });
});

describe('the quarantine', () => {
  test('lists rows by sync, table and run, and shows one', async () => {
    const runId = randomUUID();
    await database.pool.query(
      `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at)
       VALUES ($1, 'sync', 'fleet', 'sync/fleet', 'manual', now())`,
      [runId],
    );
    for (const table of ['vehicles', 'media_partners']) {
      await database.pool.query(
        `INSERT INTO durasync.quarantined_rows (run_id, sync, table_name, position, raw, reasons, unreadable)
         VALUES ($1, 'fleet', $2, 7, 'a,b', '["vin: is missing"]', false)`,
        [runId, table],
      );
    }
    const list = async (query: string) =>
      (await call(`GET /api/quarantine${query}`)).body as unknown as { id: number; table: string }[];
    expect(await list('')).toHaveLength(2);
    expect(await list('?limit=1')).toHaveLength(1);
    expect(await list(`?run_id=${runId}`)).toHaveLength(2);
    expect(await list(`?run_id=${randomUUID()}`)).toEqual([]);
    expect(await list('?sync=cars')).toEqual([]);
    const [row] = await list('?table=vehicles');
    const shown = await call(`GET /api/quarantine/${row?.id}`);
    expect(shown.body).toMatchObject({
      table: 'vehicles',
      position: 7,
      raw: 'a,b',
      reasons: ['vin: is missing'],
    });
  });

  test.each(['0', 'nothing', '-1', '99999999999999999999', '1e3'])('row %s is not found', async (id) => {
    expect((await call(`GET /api/quarantine/${id}`)).status).toBe(404);
  });
});

describe('every answer', () => {
  test('outside the routes is a problem too', async () => {
    const { status, headers, body } = await call('GET /nowhere', { token: null });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ status: 404, title: expect.any(String), detail: expect.any(String) });
  });

  test('to a text with a NUL character, which PostgreSQL cannot keep, says so', async () => {
    const body = { client_id: 'nul', name: 'a\u0000b' };
    const added = await call('POST /api/clients', { token: tokens.admin, body });
    expect(added.status).toBe(400);
    expect(added.body['detail']).toContain('NUL');
    expect((await call('GET /api/runs?sync=%00')).status).toBe(400);
    const reason = { reason: 'a\u0000b' };
    const paused = await call('POST /api/schedules/fleet-nightly/pause', { body: reason });
    expect(paused.status).toBe(400);
    expect((await call('POST /api/schedules/fleet-nightly/resume')).status).toBe(200);
  });

  test('forbids sniffing and framing, and lets no other site read it', async () => {
    const { headers } = await call('GET /api/runs', { headers: { origin: 'https://elsewhere.example' } });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    const refused = await call('GET /api/runs', { token: null });
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('broken JSON, another media type and a body over 1 MB are refused', async () => {
    const post = async (body: string, type: string) => {
      const headers = { authorization: `Bearer ${tokens.operator}`, 'content-type': type };
      const response = await fetch(`${url}/api/syncs/fleet/runs`, { method: 'POST', headers, body });
      return { status: response.status, body: await response.json() };
    };
    expect(await post('{"kind":', 'application/json')).toMatchObject({ status: 400 });
    expect(await post('[]', 'application/json')).toMatchObject({
      status: 400,
      body: { errors: [{ in: 'json', parameter: 'body' }] },
    });
    expect(await post('kind=plan', 'text/plain')).toMatchObject({
      status: 415,
      body: { type: 'urn:durasync:problem:wrong-media-type' },
    });
    const large = JSON.stringify({ tables: ['x'.repeat(1_100_000)] });
    expect(await post(large, 'application/json')).toMatchObject({
      status: 413,
      body: { type: 'urn:durasync:problem:too-large' },
    });
  });

  test('a body without a length is limited too', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${url}/api/syncs/fleet/runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokens.operator}`, 'content-type': 'application/json' },
      });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sent.write('"');
      void sleep(50).then(() => sent.end(Buffer.alloc(1_100_000, 'x')));
    });
    expect(status).toBe(413);
  });
});
