import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../src/db/connect.ts';
import { choosePort } from '../../src/free-port.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { serve, startHttpHarness } from '../support/http-harness.ts';

const database = await createTestDatabase();
const { client } = await createTestNamespace();
const nobody = await choosePort({ use: 'nothing', preferred: 29_000, fixedBy: null });
const gone = connectDatabase({
  databaseUrl: `postgres://ann:pw1@127.0.0.1:${nobody}/durasync`,
  applicationName: 'durasync test',
});
const connection = Connection.lazy({ address: `127.0.0.1:${nobody}` });
const silentClient = new Client({ connection });
afterAll(() => Promise.all([gone.close(), connection.close()]));

const logged: string[] = [];
const log = pino(
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString());
      done();
    },
  }),
);
const both = await startHttpHarness({ database, client });
const withoutTemporal = await startHttpHarness({ database, client: silentClient, log });
const withoutDatabase = await serve({ database: gone, client, log }, both.tokens);

describe('readiness', () => {
  test('is given when PostgreSQL and Temporal answer', async () => {
    const { status, body } = await both.call('GET /readyz', { token: null });
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ready', postgresql: 'ok', temporal: 'ok' });
  });

  test.each([
    ['temporal', withoutTemporal],
    ['postgresql', withoutDatabase],
  ])('names %s when it does not answer, while the process stays alive', async (engine, api) => {
    const { status, headers, body } = await api.call('GET /readyz', { token: null });
    expect(status).toBe(503);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'urn:durasync:problem:unavailable', unavailable: [engine] });
    expect((await api.call('GET /healthz', { token: null })).status).toBe(200);
  });
});

describe('a request that needs what does not answer', () => {
  test('says that PostgreSQL does not, and not where it is', async () => {
    const { status, body } = await withoutDatabase.call('GET /api/runs');
    expect(status).toBe(503);
    expect(body).toMatchObject({ unavailable: ['postgresql'] });
    expect(JSON.stringify(body)).not.toMatch(/pw1|127\.0\.0\.1/);
  });

  test('says that Temporal does not', async () => {
    const { status, body } = await withoutTemporal.call('GET /api/schedules');
    expect(status).toBe(503);
    expect(body).toMatchObject({ unavailable: ['temporal'] });
  });
});

test('a decision that no worker takes up is not taken, and nothing says it was', async () => {
  const runId = randomUUID();
  await database.pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status)
     VALUES ($1, 'sync', 'fleet', 'sync/fleet', 'manual', now(), 'held')`,
    [runId],
  );
  await client.workflow.start('decideHold', { taskQueue: 'nobody-listens', workflowId: `hold/${runId}` });
  const { status, body } = await both.call(`POST /api/runs/${runId}/approve`);
  expect(status).toBe(503);
  expect(body['detail']).toContain('worker');
  expect((await both.call(`GET /api/runs/${runId}`)).body).toMatchObject({ status: 'held', decisions: [] });
});

test('something unexpected shows neither its message nor its stack, and the log has it by request id', async () => {
  await database.pool.query('ALTER TABLE durasync.quarantined_rows RENAME TO elsewhere');
  const { status, body } = await withoutTemporal.call('GET /api/quarantine');
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/quarantined_rows|\bat /);
  const line = logged.find((each) => each.includes(String(body['request_id'])));
  expect(line).toContain('quarantined_rows');
});
