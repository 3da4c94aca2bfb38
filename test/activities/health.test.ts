import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { connectDatabase } from '../../src/db/connect.ts';
import { addClient, addCredential } from '../../src/db/clients.ts';
import { type HealthCheck, type HealthReport, worstOf } from '../../src/domain/health.ts';
import type { Outgoing } from '../../src/notify/channel.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import { defineRentals } from '../../src/syncs/rentals/index.ts';
import { createTestDatabase } from '../support/engines.ts';
import { NO_CLIENTS } from '../support/no-clients.ts';
import { NO_NOTIFICATIONS } from '../support/no-notifications.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const database = await createTestDatabase();
const { pool, db } = database;
const http = createAgent();
const sentAtOnce: string[] = [];
const paused = new Map<string, string>();
const FLEET_TABLES = ['vehicles', 'media_partners', 'loan_history', 'current_activity', 'approved_makes'];
const env: Record<string, string | undefined> = {
  FMS_VEHICLES_CSV_URL: 'http://127.0.0.1:9/',
  DURASYNC_HOME: '/tmp',
};

const check = (parts: Partial<ActivityDependencies> = {}, databaseWasDown = false): Promise<HealthReport> => {
  const { checkHealth } = createActivities({
    database,
    http,
    syncs: [fleet, defineRentals()],
    env,
    log: pino({ level: 'silent' }),
    isOpen: async () => true,
    keys: TEST_KEYS,
    clients: NO_CLIENTS,
    ...NO_NOTIFICATIONS,
    temporalHealth: { ...NO_NOTIFICATIONS.temporalHealth, pausedSchedules: async () => paused },
    ...parts,
  });
  return new MockActivityEnvironment().run(checkHealth, { databaseWasDown });
};

const named = ({ checks }: HealthReport, name: string): HealthCheck | undefined =>
  checks.find((each) => each.name === name);
/** Without those about the disk of the machine that runs this. */
const told = async (): Promise<string[]> =>
  (
    await pool.query(
      `SELECT event, title FROM durasync.notifications WHERE cause <> 'health:disk' ORDER BY id`,
    )
  ).rows.map(({ event, title }) => `${event}: ${title}`);

/** A run that completed so long ago. */
async function completed(
  sync: string,
  hoursAgo: number,
  tables: readonly string[],
  more = '',
): Promise<void> {
  const runId = randomUUID();
  await pool.query(
    `INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status, started_at, completed_at)
     VALUES ($1, 'sync', $2, 'w', $4, now(), 'completed', now() - make_interval(secs => 3600 * $3::float8),
             now() - make_interval(secs => 3600 * $3::float8))`,
    [runId, sync, hoursAgo, more || 'schedule'],
  );
  await pool.query(
    `INSERT INTO durasync.sync_run_tables (run_id, table_name, status) SELECT $1, unnest($2::text[]), 'completed'`,
    [runId, tables],
  );
}
const watchedFor = (hours: number) =>
  pool.query(`UPDATE durasync.watched_syncs SET since = now() - make_interval(hours => $1)`, [hours]);

beforeEach(async () => {
  await pool.query(`TRUNCATE durasync.notifications, durasync.open_causes, durasync.sync_runs, durasync.watched_syncs,
    commerce.clients, commerce.client_api_sync_results CASCADE`);
  paused.clear();
  sentAtOnce.length = 0;
});

describe('freshness', () => {
  test('a sync that has not completed in twice its period is told once, and its recovery once', async () => {
    await check();
    await watchedFor(72);
    await completed('fleet', 49, FLEET_TABLES);
    const report = await check();
    expect(report.status).toBe('error');
    expect(named(report, 'freshness: fleet')).toMatchObject({
      status: 'error',
      message: 'It completed 2 days ago: that is more than twice its period.',
    });
    await check();
    expect(await told()).toEqual(['raised: fleet is late']);
    await completed('fleet', 1, FLEET_TABLES);
    expect(named(await check(), 'freshness: fleet')).toMatchObject({ status: 'healthy' });
    await check();
    expect(await told()).toEqual(['raised: fleet is late', 'resolved: fleet is in time again']);
  });

  test('neither a run of some tables nor a backfill makes a sync fresh', async () => {
    await check();
    await watchedFor(72);
    await completed('fleet', 1, ['vehicles']);
    await completed('fleet', 1, FLEET_TABLES, 'backfill');
    expect(named(await check(), 'freshness: fleet')).toMatchObject({
      status: 'error',
      message: 'It has not completed yet: that is more than twice its period.',
    });
  });

  test('a sync that was just turned on, is off, or is paused by a person is not stale', async () => {
    await completed('fleet', 1_000, FLEET_TABLES);
    expect(named(await check(), 'freshness: fleet')).toMatchObject({ status: 'healthy' });
    await watchedFor(72);
    expect(named(await check(), 'freshness: rentals')).toMatchObject({
      status: 'healthy',
      message: expect.stringContaining('It is off: rentals is off'),
    });
    env['SYNC_ENABLED'] = 'false';
    expect(named(await check(), 'freshness: fleet')).toMatchObject({
      status: 'healthy',
      message: 'It is off: SYNC_ENABLED is false',
    });
    delete env['SYNC_ENABLED'];
    expect(named(await check(), 'freshness: fleet')).toMatchObject({ status: 'healthy' });
    await watchedFor(72);
    paused.set('fleet-nightly', 'exports are being moved');
    expect(named(await check(), 'freshness: fleet')).toMatchObject({
      status: 'healthy',
      message: 'A person has paused it: fleet-nightly (exports are being moved)',
    });
    paused.clear();
    expect(named(await check(), 'freshness: fleet')).toMatchObject({ status: 'error' });
    expect(await told()).toEqual(['raised: fleet is late', 'raised: fleet is late']);
  });

  test('each connection of a client is watched by its own frequency', async () => {
    for (const clientId of ['hourly', 'daily', 'resting', 'gone']) {
      await addClient(db, clientId, clientId);
      await addCredential(db, TEST_KEYS, {
        clientId,
        platform: 'shopify',
        connectionName: 'main',
        credentials: '{}',
        frequencyHours: clientId === 'daily' ? 24 : 1,
      });
    }
    await pool.query(`UPDATE commerce.client_api_credentials SET updated_at = now() - interval '3 hours'`);
    await pool.query(`UPDATE commerce.client_api_credentials SET paused = true WHERE client_id = 'resting'`);
    await pool.query(`UPDATE commerce.clients SET active = false WHERE client_id = 'gone'`);
    expect(named(await check(), 'freshness: clients')).toMatchObject({
      status: 'error',
      message:
        '1 of 2 connections have not completed in twice their period: hourly (shopify main, every 1 h).',
    });
    const result = (success: boolean) =>
      pool.query(
        `INSERT INTO commerce.client_api_sync_results SELECT gen_random_uuid(), client_id, credential_id, platform_type,
           connection_name, 0, 0, 0, 1, $1, '[]', 'schedule', NULL, now() FROM commerce.client_api_credentials
         WHERE client_id = 'hourly'`,
        [success],
      );
    await result(false);
    await check();
    await result(true);
    expect(named(await check(), 'freshness: clients')).toMatchObject({
      status: 'healthy',
      message: '2 connections are in time, 1 are paused.',
    });
    expect(await told()).toEqual([
      'raised: A connection of a client is late',
      'resolved: Connections of clients are in time again',
    ]);
  });
});

describe('a report', () => {
  test('names engines, rows, the last sale, the disk, failures and decisions that wait, and is kept', async () => {
    const report = await check();
    expect(report.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'database',
        'temporal',
        'worker',
        'disk',
        'freshness: fleet',
        'freshness: clients',
      ]),
    );
    expect(report).toMatchObject({ status: worstOf(report.checks), timestamp: expect.stringMatching(/Z$/) });
    expect(named(report, 'rows')?.detail).toMatchObject({ 'fleet.vehicles': 0, 'rentals.leads': 0 });
    const { rows } = await pool.query('SELECT status, checks FROM durasync.health_report');
    expect(rows).toEqual([{ status: report.status, checks: report.checks }]);
  });

  test('warns of runs that wait and of failures, which people have been told of before', async () => {
    await completed('fleet', 3, ['vehicles']);
    await pool.query(`UPDATE durasync.sync_runs SET status = 'held'`);
    await pool.query(
      `INSERT INTO durasync.open_causes (cause, kind, parts) VALUES ('run:fleet', 'failed', '{vehicles}')`,
    );
    const report = await check();
    expect(report.status).not.toBe('healthy');
    expect(named(report, 'holds')?.message).toMatch(
      /^1 run waits for a decision, the oldest ended 3 h ago: fleet/,
    );
    expect(named(report, 'failures')?.message).toBe('Failing: fleet (vehicles, since 0 min ago).');
    expect(await told()).toEqual([]);
  });

  test('tells of a Temporal that does not answer and of missing workers', async () => {
    const { temporalHealth } = NO_NOTIFICATIONS;
    const none = { ...temporalHealth, workers: async () => 0 };
    expect(named(await check({ temporalHealth: none }), 'worker')).toMatchObject({ status: 'error' });
    const gone = { ...temporalHealth, answers: () => Promise.reject(new Error('no')) };
    expect(named(await check({ temporalHealth: gone }), 'temporal')).toMatchObject({ status: 'error' });
    expect(await told()).toEqual([
      'raised: worker: No worker asks for work: nothing will run.',
      'raised: temporal: Temporal does not answer.',
    ]);
  });

  test("a disk that can't be asked is a warning", async () => {
    const report = await check({ env: { ...env, DURASYNC_HOME: '/nowhere' } });
    expect(named(report, 'disk')).toMatchObject({ status: 'warning' });
  });
});

describe('without PostgreSQL', () => {
  const channel = { name: 'slack', send: async ({ title }: Outgoing) => void sentAtOnce.push(title) };

  test('people are told at once and once, and once more when it answers again', async () => {
    const gone = connectDatabase({ databaseUrl: 'postgres://127.0.0.1:9/x', applicationName: 'gone' });
    const parts = { database: gone, channels: [channel] };
    const first = await check(parts);
    expect(first).toMatchObject({ status: 'error' });
    expect(named(first, 'database')).toMatchObject({
      status: 'error',
      message: 'PostgreSQL does not answer (ECONNREFUSED).',
    });
    await check(parts, true);
    expect(sentAtOnce).toEqual(['PostgreSQL does not answer']);
    await check({ channels: [channel] }, true);
    expect(await told()).toEqual(['told: PostgreSQL answers again']);
    await gone.close();
  });
});
