import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { decideRun, decisionDone, startRun, startSweep } from '../../src/temporal/runs.ts';
import { inTransaction } from '../../src/db/connect.ts';
import { migrateToLatest } from '../../src/db/migrate.ts';
import { carRecords, stallFrom } from '../support/fake-auctions.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const harness = await startCarsHarness();
const { auctions, client, database, run, rows, logOf } = harness;

beforeEach(() => {
  auctions.answer = null;
  auctions.cars = carRecords(60);
});

/** Starts a run whose source does not answer until `answer` is called. */
async function startStalled(): Promise<{ runId: RunId; workflowId: string; answer(): void }> {
  const { asked, release } = stallFrom(auctions, 1);
  const started = await startRun(client, { sync: 'cars' });
  await asked;
  return { ...started, answer: release };
}

describe('the log of cars', () => {
  test('a run under way is running, and completed when it ends', async () => {
    const { runId, workflowId, answer } = await startStalled();
    expect(await logOf(runId)).toMatchObject({ status: 'running', completed_at: null, cars_synced: 0 });
    answer();
    await client.workflow.getHandle(workflowId, runId).result();
    expect(await logOf(runId)).toMatchObject({ status: 'completed', cars_synced: 50 });
  });

  test('a run whose source fails has failed, with the reason', async () => {
    auctions.answer = (_request, response) => void response.writeHead(403).end();
    const { run_id: runId } = await run();
    const log = await logOf(runId);
    expect(log).toMatchObject({ status: 'failed', cars_synced: 0 });
    expect(log?.['error_message']).toContain('answered 403');
    expect(log?.['completed_at']).toBeInstanceOf(Date);
  });

  test('a run that died has failed once runs are swept', async () => {
    const { runId, workflowId, answer } = await startStalled();
    await client.workflow.getHandle(workflowId, runId).terminate('as a server that lost its state');
    await startSweep(client);
    await waitUntil('the row has ended', async () => (await logOf(runId))?.['status'] === 'failed');
    expect((await logOf(runId))?.['error_message']).toContain('The workflow of this run is gone');
    answer();
  });

  test('a cancelled run has failed', async () => {
    const { runId, workflowId, answer } = await startStalled();
    const handle = client.workflow.getHandle(workflowId, runId);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('Workflow execution cancelled');
    answer();
    expect(await logOf(runId)).toMatchObject({
      status: 'failed',
      error_message: 'The run was cancelled.',
    });
  });

  test('a held run is completed and held; approval adds its counts, rejection does not', async () => {
    await run({ full: true });
    auctions.cars = carRecords(40);
    for (const decision of ['reject', 'approve'] as const) {
      const { run_id: runId, status } = await run({ full: true });
      expect(status).toBe('held');
      const held = await logOf(runId);
      expect(held).toMatchObject({ status: 'completed', cars_synced: 0, metadata: { held: true } });
      expect(held?.['error_message']).toContain('20 of 60 live rows (33.3 %) are missing');
      await decideRun(client, runId, { decision, by: 'test' });
      await decisionDone(client, runId);
      const decided = await logOf(runId);
      expect(decided).toMatchObject(
        decision === 'approve'
          ? {
              cars_synced: 40,
              error_message: null,
              metadata: { held: true, run_status: 'completed', updated: 20 },
            }
          : { cars_synced: 0, metadata: { held: true, run_status: 'rejected', updated: 0 } },
      );
    }
    const states = await rows(`SELECT status, count(*) FROM cars GROUP BY 1 ORDER BY 1`);
    expect(states).toEqual([
      { status: 'active', count: 40 },
      { status: 'archived', count: 20 },
    ]);
  });

  test('runs of other syncs leave no row', async () => {
    const [before] = await rows(`SELECT count(*) FROM cars_sync_log`);
    await rows(`INSERT INTO sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at)
                VALUES ('other', 'sync', 'fleet', 'other', 'manual', now())`);
    expect(await rows(`SELECT count(*) FROM cars_sync_log`)).toEqual([before]);
  });
});

const outsider = `outsider_${randomBytes(4).toString('hex')}`;

/** The rows of a statement as somebody with a role of the cluster. */
const as = (role: string, statement: string): Promise<Record<string, unknown>[]> =>
  inTransaction(database.pool, async (connection) => {
    await connection.query(`SET LOCAL ROLE ${role}`);
    return (await connection.query<Record<string, unknown>>(statement)).rows;
  });

describe('access to the log of cars', () => {
  const insert = `INSERT INTO cars.cars_sync_log (id, sync_type, started_at, status)
                  VALUES (gen_random_uuid(), 'full', now(), 'running') RETURNING status`;

  afterAll(async () => {
    await rows(`DROP OWNED BY ${outsider}; DROP ROLE ${outsider}`);
  });

  test('the service writes', async () => {
    await run();
    expect(await as('durasync_service', insert)).toEqual([{ status: 'running' }]);
    const ended = await as(
      'durasync_service',
      `UPDATE cars.cars_sync_log SET status = 'failed' WHERE status = 'running' RETURNING status`,
    );
    expect(ended).toEqual([{ status: 'failed' }]);
  });

  test('the viewer reads and does not write', async () => {
    const [seen] = await as('durasync_viewer', `SELECT count(*) FROM cars.cars_sync_log`);
    expect(Number(seen?.['count'])).toBeGreaterThan(0);
    await expect(as('durasync_viewer', insert)).rejects.toThrow('permission denied');
    await expect(as('durasync_viewer', `DELETE FROM cars.cars_sync_log`)).rejects.toThrow(
      'permission denied',
    );
  });

  test('nobody else reads, and not even a grant shows a row', async () => {
    await rows(`CREATE ROLE ${outsider}; GRANT USAGE ON SCHEMA cars TO ${outsider}`);
    await expect(as(outsider, `SELECT * FROM cars.cars_sync_log`)).rejects.toThrow('permission denied');
    await rows(`GRANT SELECT, INSERT ON cars.cars_sync_log TO ${outsider}`);
    expect(await as(outsider, `SELECT * FROM cars.cars_sync_log`)).toEqual([]);
    await expect(as(outsider, insert)).rejects.toThrow('row-level security');
  });

  test('a worker that may write runs but not the log still logs', async () => {
    await rows(`GRANT USAGE ON SCHEMA durasync TO ${outsider};
                GRANT SELECT, INSERT, UPDATE ON durasync.sync_runs TO ${outsider}`);
    const runId = '00000000-0000-4000-8000-000000000001';
    await as(
      outsider,
      `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at)
       VALUES ('${runId}', 'sync', 'cars', 'test', 'manual', now())`,
    );
    expect(await logOf(runId as RunId)).toMatchObject({ status: 'running' });
  });

  test('a user who may not create roles is told what to do, and the rest goes on', async () => {
    const [found] = await rows(`SELECT pg_get_functiondef('cars.grant_sync_log()'::regprocedure) AS text`);
    const text = String(found?.['text'])
      .replaceAll('durasync_', 'absent_')
      .replace('cars.grant_sync_log', 'pg_temp.grant_absent');
    const warnings: string[] = [];
    await inTransaction(database.pool, async (connection) => {
      connection.on('notice', ({ message, hint }) => warnings.push(`${message} ${hint}`));
      await connection.query(
        `GRANT TEMPORARY ON DATABASE "${new URL(database.databaseUrl).pathname.slice(1)}" TO ${outsider}`,
      );
      await connection.query(`SET LOCAL ROLE ${outsider}`);
      await connection.query(text);
      await connection.query(`SELECT pg_temp.grant_absent()`);
    });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('The role absent_service is missing and this user may not create it');
    expect(warnings[0]).toContain('SELECT cars.grant_sync_log();');
  });

  test('granting again changes nothing', async () => {
    const policies = `SELECT policyname, roles, cmd FROM pg_policies WHERE tablename = 'cars_sync_log' ORDER BY 1`;
    const before = await rows(policies);
    expect(before).toHaveLength(2);
    await rows(`SELECT cars.grant_sync_log()`);
    expect(await rows(policies)).toEqual(before);
    expect(await migrateToLatest(database.databaseUrl)).toEqual([]);
  });
});
