import { expect, test } from 'vitest';
import { fleet } from '../../src/syncs/fleet/index.ts';
import { applySchedules } from '../../src/temporal/schedules.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';
import { answerFleet, startFleetHarness } from '../support/sync-harness.ts';
import { temporalCli } from '../support/temporal-cli.ts';
import { waitUntil } from '../support/wait-until.ts';
import { workbook } from '../support/workbook.ts';

const { database, client, env, rows, run, server } = await startFleetHarness();
const {
  url,
  tokens,
  call: callApi,
} = await startHttpHarness({
  database,
  client,
  env: { ...env, AUCTIONS_API_BASE_URL: 'http://127.0.0.1:9' },
});
await applySchedules({ client, syncs: [fleet], env });
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
const call = (what: string, body?: unknown) => callApi(what, { token: tokens.admin, body });

interface Step {
  /** What the audit log is to say. */
  readonly action: string;
  does(): Promise<{ readonly status: number }>;
}

async function upload(path: string) {
  const form = new FormData();
  const sheet = workbook([
    ['Office', 'Fleet', 'Year', 'Quarter', 'Budget'],
    ['Miami', 'Audi', 2026, 'Q1', 10],
  ]);
  form.append('file', new Blob([new Uint8Array(sheet)]), 'a.xlsx');
  const headers = { authorization: `Bearer ${tokens.admin}` };
  return fetch(url + path, { method: 'POST', body: form, headers });
}

/** A run whose vehicles are held, because most of them are missing. */
async function held(): Promise<string> {
  answerFleet(server);
  await run();
  server.answer(VEHICLES, vehicleFile(2));
  return (await run({ tables: ['vehicles'] })).run_id;
}

async function lead(): Promise<unknown> {
  const [row] = await rows(`INSERT INTO leads (lead_type, store, phone, name)
    VALUES ('enquiry', 'Suitor Guy - Edappally', '9847000001', 'Anu') RETURNING lead_id`);
  return row?.['lead_id'];
}

async function underWay(): Promise<string> {
  const stalled = stalledAnswer(vehicleFile(10), 5);
  server.answer(VEHICLES, stalled.answer);
  const { body } = await call('POST /api/syncs/fleet/runs', { tables: ['vehicles'] });
  const id = String(body['run_id']);
  await waitUntil('it runs', async () => (await callApi(`GET /api/runs/${id}`)).body['status'] === 'running');
  await waitUntil(
    'it has its row',
    async () => (await rows(`SELECT FROM sync_runs WHERE run_id = '${id}'`)).length > 0,
  );
  return id;
}

const client1 = '/api/clients/audited';
const credentials = { shop_domain: 'a.myshopify.com', access_token: 'shpat_1' };
const connection = { platform_type: 'shopify', connection_name: 'main', credentials };

/** Every route that changes something, in an order in which each can. */
const STEPS: Readonly<Record<string, Step>> = {
  'POST /api/session': {
    action: 'log in',
    does: () => call('POST /api/session', { token: tokens.admin }),
  },
  'POST /api/syncs/{sync}/runs': {
    action: 'plan',
    does: () => call('POST /api/syncs/fleet/runs?wait=true', { kind: 'plan' }),
  },
  'POST /api/admin/trigger-sync': {
    action: 'run',
    does: () => call('POST /api/admin/trigger-sync?wait=true'),
  },
  'POST /api/admin/cars-sync': {
    action: 'run',
    does: () => call('POST /api/admin/cars-sync', { action: 'status_refresh', type: 'incremental' }),
  },
  'POST /api/runs/{id}/reject': {
    action: 'reject',
    does: async () => call(`POST /api/runs/${await held()}/reject?wait=true`, { reason: 'no' }),
  },
  'POST /api/runs/{id}/approve': {
    action: 'approve',
    does: async () => call(`POST /api/runs/${await held()}/approve?wait=true`),
  },
  'POST /api/runs/{id}/undo': {
    action: 'start undo',
    does: async () => {
      const [row] = await rows(`SELECT subject FROM audit_log WHERE action = 'approve'`);
      return call(`POST /api/runs/${String(row?.['subject'])}/undo?wait=true`, { reason: 'a test' });
    },
  },
  'POST /api/runs/{id}/cancel': {
    action: 'cancel',
    does: async () => call(`POST /api/runs/${await underWay()}/cancel`, { reason: 'stuck' }),
  },
  'POST /api/uploads/{kind}/preview': {
    action: 'upload',
    does: () => upload('/api/uploads/budgets/preview'),
  },
  'POST /api/uploads/{kind}': { action: 'import', does: () => upload('/api/uploads/budgets') },
  'POST /api/backups': { action: 'backup', does: () => call('POST /api/backups') },
  'POST /api/schedules/{id}/pause': {
    action: 'pause schedule',
    does: () => call('POST /api/schedules/fleet-nightly/pause'),
  },
  'POST /api/schedules/{id}/resume': {
    action: 'resume schedule',
    does: () => call('POST /api/schedules/fleet-nightly/resume'),
  },
  'POST /api/schedules/{id}/trigger': {
    action: 'trigger schedule',
    does: () => call('POST /api/schedules/fleet-nightly/trigger'),
  },
  'POST /api/leads/{id}/close': {
    action: 'close lead',
    does: async () => call(`POST /api/leads/${String(await lead())}/close`),
  },
  'POST /api/clients': {
    action: 'add client',
    does: () => call('POST /api/clients', { client_id: 'audited' }),
  },
  'POST /api/clients/{id}/credentials': {
    action: 'add credentials',
    does: () => call(`POST ${client1}/credentials`, connection),
  },
  'POST /api/clients/{id}/sync': { action: 'sync client', does: () => call(`POST ${client1}/sync`) },
  'POST /api/admin/trigger-api-sync': {
    action: 'sync client',
    does: () => call('POST /api/admin/trigger-api-sync?force_sync=true'),
  },
  'PUT /api/clients/{id}/frequency': {
    action: 'set frequency',
    does: () => call(`PUT ${client1}/frequency`, { hours: 6 }),
  },
  'POST /api/clients/{id}/pause': { action: 'pause client', does: () => call(`POST ${client1}/pause`) },
  'POST /api/clients/{id}/resume': { action: 'resume client', does: () => call(`POST ${client1}/resume`) },
  'DELETE /api/clients/{id}': { action: 'remove client', does: () => call(`DELETE ${client1}`) },
  'DELETE /api/session': { action: 'log out', does: () => call('DELETE /api/session') },
};

test('every route that changes something has a step here', async () => {
  const { body } = await callApi('GET /openapi.json', { token: null });
  const paths = body['paths'] as Record<string, Record<string, unknown>>;
  const changing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(Object.keys(STEPS).sort()).toEqual(changing.sort());
});

test.each(Object.entries(STEPS))(
  '%s says in the audit log who did it',
  async (_route, { action, does }) => {
    const mine = `SELECT action FROM audit_log WHERE actor = 'token:admin' ORDER BY id`;
    const before = (await rows(mine)).length;
    const { status } = await does();
    expect(status).toBeLessThan(300);
    expect((await rows(mine)).slice(before).map((row) => row['action'])).toContain(action);
  },
  60_000,
);

test('the log is read in pages, by who, what and when', async () => {
  const first = (await callApi('GET /api/audit?limit=3')).body as {
    entries: { id: number; at: string; action: string }[];
    next: number;
  };
  expect(first.entries).toHaveLength(3);
  expect(first.next).toBe(first.entries[2]?.id);
  const second = (await callApi(`GET /api/audit?limit=3&before=${first.next}`)).body as typeof first;
  expect(second.entries[0]?.id).toBeLessThan(first.next);
  const rejected = await callApi('GET /api/audit?actor=token:&action=reject');
  expect(rejected.body).toMatchObject({
    entries: [{ actor: 'token:admin', action: 'reject', detail: { reason: 'no' } }],
    next: null,
  });
  const later = await callApi(`GET /api/audit?since=${encodeURIComponent(String(first.entries[0]?.at))}`);
  expect(later.body['entries']).toHaveLength(1);
  expect((await callApi('GET /api/audit?since=yesterday')).status).toBe(400);
});

test('what is done with the plain Temporal CLI is in the log too', async () => {
  await rows('TRUNCATE audit_log');
  answerFleet(server);
  const temporal = await temporalCli(client.options.namespace);
  const done = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await temporal(...args);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  };
  const start = [
    'workflow',
    'start',
    '--task-queue',
    'durasync',
    '--type',
    'runSync',
    '--input',
    '{"sync":"fleet"}',
  ];
  await done(...start, '--workflow-id', 'by-hand');
  await client.workflow.getHandle('by-hand').result();
  await call('POST /api/clients', { client_id: 'signalled' });
  await call('POST /api/clients/signalled/credentials', connection);
  const signal = ['workflow', 'signal', '--workflow-id', 'client/signalled'];
  await done(...signal, '--name', 'pause', '--input', '{"reason":"their shop moves"}');
  await done(...signal, '--name', 'setFrequency', '--input', '{"hours":3}');
  await waitUntil('the signals are in the log', async () => {
    const found = await rows(`SELECT FROM audit_log WHERE actor = 'temporal'`);
    return found.length === 3;
  });
  const found = await rows(
    `SELECT action, subject, detail - 'event' - 'runId' AS detail FROM audit_log WHERE actor = 'temporal' ORDER BY id`,
  );
  expect(found).toEqual([
    { action: 'run', subject: 'fleet', detail: { trigger: 'manual' } },
    { action: 'pause client', subject: 'signalled', detail: { reason: 'their shop moves' } },
    { action: 'set frequency', subject: 'signalled', detail: { hours: 3 } },
  ]);
}, 60_000);
