import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const on = await startHttpHarness({
  database,
  client,
  env: { FMS_VEHICLES_CSV_URL: 'https://fms.example.com/r?auth=s3cret' },
});
const off = await startHttpHarness({ database, client });
const { call } = on;

async function insertRun(status: string, id: string = randomUUID(), kind = 'sync'): Promise<string> {
  await database.pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status, total_tables)
     VALUES ($1, $2, 'fleet', 'sync/fleet', 'manual', now(), $3, 1)`,
    [id, kind, status],
  );
  return id;
}

async function auditRows(): Promise<Record<string, unknown>[]> {
  return (
    await database.pool.query('SELECT actor, action, subject, detail FROM durasync.audit_log ORDER BY id')
  ).rows;
}

/** Nobody works on runs here: one that a test starts stays until it is ended. */
async function endRun(): Promise<void> {
  for (const id of ['sync/fleet', 'plan/fleet']) {
    await client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  }
}

beforeEach(async () => {
  await endRun();
  await database.pool.query('TRUNCATE durasync.sync_runs CASCADE');
  await database.pool.query('TRUNCATE durasync.audit_log');
});

describe('starting a run', () => {
  test.each(['/api/admin/trigger-sync', '/api/syncs/fleet/runs'])(
    'POST %s answers with its ids, and with the same ids while it is under way',
    async (path) => {
      const first = await call(`POST ${path}`);
      expect(first.status).toBe(202);
      expect(first.body).toEqual({
        run_id: expect.any(String),
        workflow_id: 'sync/fleet',
        started: true,
      });
      const second = await call(`POST ${path}`);
      expect(second.status).toBe(202);
      expect(second.body).toEqual({ ...first.body, started: false });
      const [row] = await auditRows();
      expect(row).toMatchObject({
        actor: 'token:operator',
        action: 'run',
        subject: 'fleet',
        detail: { runId: first.body['run_id'] },
      });
      const [input] = await startInput();
      expect(input).toMatchObject({ sync: 'fleet', trigger: 'manual', triggeredBy: 'token:operator' });
    },
  );

  async function startInput(): Promise<unknown[]> {
    const history = await client.workflow.getHandle('sync/fleet').fetchHistory();
    const payloads = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    return payloads.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()));
  }

  test('a plan has a slot of its own and takes tables', async () => {
    const { status, body } = await call('POST /api/syncs/fleet/runs', {
      body: { kind: 'plan', tables: ['vehicles'] },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ workflow_id: 'plan/fleet', started: true });
  });

  test('an empty body with a JSON content type counts as none', async () => {
    const { status } = await call('POST /api/syncs/fleet/runs', {
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(202);
  });

  test('a sync that is off answers 409 with the variables that turn it on', async () => {
    const answer = await off.call('POST /api/admin/trigger-sync');
    expect(answer.status).toBe(409);
    expect(answer.body['type']).toBe('urn:durasync:problem:sync-off');
    expect(answer.body['detail']).toContain('FMS_VEHICLES_CSV_URL');
    expect(await auditRows()).toEqual([]);
  });

  test.each([
    ['an unknown sync', 'POST /api/syncs/nothing/runs', {}, 404, /fleet/],
    ['an unknown table', 'POST /api/syncs/fleet/runs', { tables: ['cars'] }, 400, /tables.*cars.*vehicles/],
    ['an unknown field', 'POST /api/syncs/fleet/runs', { mode: 'plan' }, 400, /mode/],
    ['a wrong kind', 'POST /api/syncs/fleet/runs', { kind: 'undo' }, 400, /kind/],
    ['a wrong wait', 'POST /api/syncs/fleet/runs?wait=perhaps', {}, 400, /wait.*true or false/],
  ])('%s is refused and starts nothing', async (_what, path, body, status, detail) => {
    const answer = await call(path, { body });
    expect(answer.status).toBe(status);
    expect(answer.body['detail']).toMatch(detail);
    await expect(client.workflow.getHandle('sync/fleet').describe()).resolves.not.toMatchObject({
      status: { name: 'RUNNING' },
    });
  });

  test('who waits and goes away leaves the run as it is', async () => {
    const leaving = call('POST /api/admin/trigger-sync?wait=true', { signal: AbortSignal.timeout(500) });
    await expect(leaving).rejects.toThrow('timeout');
    const { status } = await client.workflow.getHandle('sync/fleet').describe();
    expect(status.name).toBe('RUNNING');
  });
});

describe('reading runs', () => {
  test('lists the newest first and filters by sync, status and kind', async () => {
    const completed = await insertRun('completed');
    const planned = await insertRun('planned', randomUUID(), 'plan');
    const ids = async (query: string) =>
      ((await call(`GET /api/runs${query}`)).body as unknown as { run_id: string }[]).map(
        ({ run_id }) => run_id,
      );
    expect(await ids('')).toEqual([planned, completed]);
    expect(await ids('?limit=1')).toEqual([planned]);
    expect(await ids('?status=completed')).toEqual([completed]);
    expect(await ids('?kind=plan')).toEqual([planned]);
    expect(await ids('?sync=cars')).toEqual([]);
  });

  test.each(['limit=0', 'limit=1001', 'limit=ten', 'status=odd', 'kind=odd', 'stauts=held'])(
    'refuses ?%s and names the parameter',
    async (query) => {
      const { status, body } = await call(`GET /api/runs?${query}`);
      expect(status).toBe(400);
      expect(body['errors']).toEqual([
        { in: 'query', parameter: query.split('=')[0], reason: expect.any(String) },
      ]);
    },
  );

  test('a run shows its decisions and what was shown of it', async () => {
    const id = await insertRun('held');
    const review = {
      reason: '5 of 10 rows are missing',
      inserted: 0,
      updated: 1,
      unchanged: 4,
      restored: 0,
      missing: 5,
      archived: 5,
      quarantined: 0,
      samples: {
        inserted: [],
        restored: [],
        quarantined: [],
        missing: [{ vin: 'V1' }],
        updated: [{ key: { vin: 'V2' }, changes: { color: [null, 'Red'] } }],
      },
    };
    await database.pool.query(
      `INSERT INTO durasync.sync_run_tables (run_id, table_name, status, review) VALUES ($1, 'vehicles', 'held', $2)`,
      [id, JSON.stringify(review)],
    );
    await database.pool.query(
      `INSERT INTO durasync.audit_log (actor, action, subject, detail) VALUES ('cli:ann', 'reject', $1, '{"reason":"no"}')`,
      [id],
    );
    const { status, body } = await call(`GET /api/runs/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      run_id: id,
      status: 'held',
      tables: [{ table: 'vehicles', status: 'held' }],
    });
    expect(body['reviews']).toEqual([{ table: 'vehicles', ...review }]);
    expect(body['decisions']).toMatchObject([{ actor: 'cli:ann', action: 'reject', reason: 'no' }]);
  });

  test('a run that no worker has come to yet is shown as running', async () => {
    const { body } = await call('POST /api/admin/trigger-sync');
    const shown = await call(`GET /api/runs/${String(body['run_id'])}`);
    expect(shown.status).toBe(200);
    expect(shown.body).toMatchObject({
      run_id: body['run_id'],
      sync: 'fleet',
      status: 'running',
      tables: [],
    });
  });

  test('an unknown id is not found, also as the beginning of a known one', async () => {
    const id = await insertRun('completed');
    for (const unknown of ['nothing', randomUUID(), id.slice(0, 8), '%25']) {
      const { status, body } = await call(`GET /api/runs/${unknown}`);
      expect(status, unknown).toBe(404);
      expect(body['type']).toBe('urn:durasync:problem:not-found');
    }
  });
});

describe('deciding about runs', () => {
  test('cancel asks the workflow to stop and is recorded with its reason', async () => {
    const { body } = await call('POST /api/admin/trigger-sync');
    const id = await insertRun('running', String(body['run_id']));
    const answer = await call(`POST /api/runs/${id}/cancel`, { body: { reason: 'wrong day' } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ run_id: id, accepted: 'cancel' });
    const { raw } = await client.workflow.getHandle('sync/fleet', id).describe();
    const history = await client.workflow.getHandle('sync/fleet', id).fetchHistory();
    const asked = history.events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
    expect(asked, JSON.stringify(raw.workflowExecutionInfo?.status)).toBe(true);
    expect((await auditRows()).at(-1)).toMatchObject({
      actor: 'token:operator',
      action: 'cancel',
      subject: id,
      detail: { reason: 'wrong day' },
    });
  });

  test.each(['approve', 'reject'])('%s of a run that is not held is refused with its state', async (verb) => {
    const id = await insertRun('completed');
    const { status, body } = await call(`POST /api/runs/${id}/${verb}`);
    expect(status).toBe(409);
    expect(body).toMatchObject({ type: 'urn:durasync:problem:not-held', run_status: 'completed' });
    expect(await auditRows()).toEqual([]);
  });

  test('approve of a held run whose workflow is gone is refused', async () => {
    const id = await insertRun('held');
    const { status, body } = await call(`POST /api/runs/${id}/approve`);
    expect(status).toBe(409);
    expect(body['type']).toBe('urn:durasync:problem:not-held');
  });

  test('cancel of a run that has ended, or whose workflow is gone, is refused', async () => {
    for (const id of [await insertRun('completed'), await insertRun('running')]) {
      const { status, body } = await call(`POST /api/runs/${id}/cancel`);
      expect(status).toBe(409);
      expect(body['type']).toBe('urn:durasync:problem:not-running');
    }
  });

  test.each(['approve', 'reject', 'cancel'])('%s of an unknown run is not found', async (verb) => {
    expect((await call(`POST /api/runs/${randomUUID()}/${verb}`)).status).toBe(404);
  });
});
