import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import { holdId, NOTIFICATIONS_ID, type RunId } from '../../src/domain/ids.ts';
import type { DatabaseConnection } from '../../src/db/connect.ts';
import { decideRun, startSweep, startUndo } from '../../src/temporal/runs.ts';
import { createWaker } from '../../src/temporal/wake-notifications.ts';
import { recordBackfillScenarios } from './backfill-history-scenarios.ts';
import { recordClientScenarios } from './client-history-scenarios.ts';
import { firstNight, fleetVariables, geocoderAnswer, type Night, secondNight } from './fault-fleet.ts';
import type { FakeShopify } from './fake-shopify.ts';
import { FLEET_PATHS, vehicleFile } from './fleet-files.ts';
import { recordMaintenanceScenarios } from './maintenance-history-scenarios.ts';
import { waitUntil } from './wait-until.ts';

/** In the addresses of the exports; must not get into a history. */
export const SECRET_IN_URL = 'secret-in-the-address';

export interface RecordingParts {
  readonly client: Client;
  readonly database: DatabaseConnection;
  readonly databaseUrl: string;
  /** Shows the exports. */
  readonly source: Server;
  readonly sourceUrl: string;
  readonly shopify: FakeShopify;
  /** The variables that the worker reads at every step. */
  readonly env: Record<string, string>;
}

export interface Recorded {
  /** `<workflow>.<scenario>` */
  readonly scenario: string;
  readonly handle: WorkflowHandle;
}

type StartedWorkflow = WorkflowHandle & { readonly firstExecutionRunId: string };

const EXPIRES_SOON_HOURS = '0.0005';

/** Leads real workflows through everything that can happen to them, one after the other. */
export async function* recordScenarios(parts: RecordingParts): AsyncGenerator<Recorded> {
  const { client, database, env } = parts;
  const show = showExports(parts);
  const start = async (input: Partial<RunSyncInput> = {}): Promise<StartedWorkflow & { runId: RunId }> => {
    const handle = await client.workflow.start('runSync', {
      taskQueue: 'durasync',
      workflowId: `recording/${randomUUID()}`,
      args: [{ sync: 'fleet', ...input }],
    });
    return Object.assign(handle, { runId: handle.firstExecutionRunId as RunId });
  };
  const run = async (
    scenario: string,
    input?: Partial<RunSyncInput>,
  ): Promise<Recorded & { runId: RunId }> => {
    const handle = await start(input);
    await handle.result();
    return { scenario, handle, runId: handle.runId };
  };
  const hold = (runId: RunId): WorkflowHandle => client.workflow.getHandle(holdId(runId));
  const vehicles = { tables: ['vehicles'] };
  const tooFew = { ...firstNight, FMS_VEHICLES_CSV_URL: vehicleFile(100) };

  show(firstNight);
  const first = await run('runSync.completed');
  yield first;
  yield run('runSync.plan', { kind: 'plan' });
  show(secondNight);
  yield run('runSync.archived');
  show({ ...secondNight, FMS_VEHICLES_CSV_URL: null });
  yield run('runSync.table-failed');

  show(tooFew);
  const rejected = await run('runSync.held', vehicles);
  yield rejected;
  await decideRun(client, rejected.runId, { decision: 'reject', by: 'recorder', reason: 'too few' });
  await hold(rejected.runId).result();
  yield { scenario: 'decideHold.rejected', handle: hold(rejected.runId) };

  env['DURASYNC_HOLD_HOURS'] = EXPIRES_SOON_HOURS;
  const expired = await run('expired', vehicles);
  await hold(expired.runId).result();
  yield { scenario: 'decideHold.expired', handle: hold(expired.runId) };
  delete env['DURASYNC_HOLD_HOURS'];

  const superseded = await run('superseded', vehicles);
  show(secondNight);
  yield run('runSync.superseding', vehicles);
  await hold(superseded.runId).result();
  yield { scenario: 'decideHold.superseded', handle: hold(superseded.runId) };

  show(tooFew);
  const approved = await run('approved', vehicles);
  await decideRun(client, approved.runId, { decision: 'approve', by: 'recorder' });
  await hold(approved.runId).result();
  yield { scenario: 'decideHold.approved', handle: hold(approved.runId) };

  show(firstNight);
  const restaged = await loseStaging(parts, () => start(vehicles));
  yield { scenario: 'runSync.restaged', handle: restaged };

  const { rows } = await database.pool.query('SELECT count(*) FROM fleet.vehicles');
  if (rows[0]?.count !== 1500) throw new Error(`${rows[0]?.count} vehicles are live after the restaged run`);
  for (const [scenario, of] of [
    ['undoRun.refused', first.runId],
    ['undoRun.undone', restaged.firstExecutionRunId],
  ] as const) {
    const { workflowId, runId } = await startUndo(client, { of, triggeredBy: 'recorder' });
    const handle = client.workflow.getHandle(workflowId, runId);
    await handle.result();
    yield { scenario, handle };
  }

  show({ ...firstNight, FMS_VEHICLES_CSV_URL: 'stalled' });
  const cancelled = await start();
  await sleep(1_000);
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);
  yield { scenario: 'runSync.cancelled', handle: cancelled };

  await startSweep(client);
  const sweep = client.workflow.getHandle('sweep-runs');
  await sweep.result();
  yield { scenario: 'sweepRuns.completed', handle: sweep };
  const health = await client.workflow.start('maintainHealth', {
    taskQueue: 'durasync',
    workflowId: 'recording/health',
  });
  await health.result();
  yield { scenario: 'maintainHealth.completed', handle: health };
  yield { scenario: 'deliverNotifications.waited', handle: await waitAndWake(parts) };
  yield* recordClientScenarios(parts);
  yield* recordBackfillScenarios(parts);
  yield* recordMaintenanceScenarios(parts);
}

/** A notification that is not due yet, and another one meanwhile. */
async function waitAndWake({ client, database }: RecordingParts): Promise<WorkflowHandle> {
  const add = (seconds: number) =>
    database.pool.query(
      `WITH told AS (INSERT INTO durasync.notifications (cause, kind, event, title, body, dispatched_at)
                     VALUES ('recording', 'completed', 'told', 'a title', 'a body', now()) RETURNING id)
       INSERT INTO durasync.notification_deliveries (notification_id, channel, due_at)
       SELECT id, 'slack', now() + make_interval(secs => $1) FROM told`,
      [seconds],
    );
  await add(3);
  const wake = createWaker({ client, log: console });
  await wake();
  const handle = client.workflow.getHandle(NOTIFICATIONS_ID);
  await waitUntil('it waits', async () => {
    const { events = [] } = await handle.fetchHistory();
    return events?.some(({ timerStartedEventAttributes }) => timerStartedEventAttributes) ?? false;
  });
  await add(0);
  await wake();
  await handle.result();
  return handle;
}

/** Empties staging between review and merge, as a crash of PostgreSQL does. */
async function loseStaging(
  { database }: RecordingParts,
  start: () => Promise<StartedWorkflow>,
): Promise<StartedWorkflow> {
  const client = await database.pool.connect();
  await client.query('BEGIN; SELECT 1 FROM durasync.table_state FOR UPDATE');
  const handle = await start();
  await waitUntil('the merge waits', async () => {
    const { rowCount } = await database.pool.query(
      `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return rowCount === 1;
  });
  const { rows } = await client.query<{ relation: string }>(
    `SELECT format('durasync_staging.%I', tablename) AS relation FROM pg_tables WHERE schemaname = 'durasync_staging'`,
  );
  const emptied = ['durasync.staging_progress', ...rows.map(({ relation }) => relation)];
  await client.query(`TRUNCATE ${emptied.join(', ')}`);
  await client.query('COMMIT');
  client.release();
  await handle.result();
  return handle;
}

type Shown = Omit<Night, 'FMS_VEHICLES_CSV_URL'> & {
  /** Null answers 404; 'stalled' never ends. */
  readonly FMS_VEHICLES_CSV_URL: string | null;
};

/** Answers the exports and the geocoder; returns how to change the exports. */
function showExports({ source, sourceUrl, env }: RecordingParts): (exports: Shown) => void {
  const byPath = new Map<string, string | null>();
  Object.assign(env, fleetVariables({ url: sourceUrl }, ''));
  for (const setting of Object.keys(FLEET_PATHS)) env[setting] += `?token=${SECRET_IN_URL}`;
  source.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', sourceUrl);
    if (pathname.endsWith('/geocode/json')) return void response.end(geocoderAnswer(request.url ?? ''));
    const text = byPath.get(pathname) ?? null;
    if (text === null) return void response.writeHead(404).end('no such export');
    response.writeHead(200, { 'content-type': 'text/csv' });
    if (text === 'stalled') return void response.write('1,2025,');
    response.end(text);
  });
  return (exports) => {
    for (const [setting, path] of Object.entries(FLEET_PATHS)) {
      byPath.set(path, exports[setting as keyof Shown]);
    }
  };
}
