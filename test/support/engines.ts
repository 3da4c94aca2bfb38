import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../src/db/connect.ts';
import { setSearchPath } from '../../src/db/migrate.ts';
import { ensureNamespace, registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import type { EngineAnswers } from './engine-host.ts';
import { routeTemporalLog } from './temporal-log.ts';

routeTemporalLog();

/** Where an engine of this test run is; starts it on the first call of the run. */
export async function testEngine<Path extends keyof EngineAnswers>(path: Path): Promise<EngineAnswers[Path]> {
  const response = await fetch(inject('engineHostUrl') + path);
  if (!response.ok) throw new Error(`${path} could not start: ${await response.text()}`);
  return (await response.json()) as EngineAnswers[Path];
}

export interface TestDatabase extends DatabaseConnection {
  readonly databaseUrl: string;
}

/**
 * A migrated database of this test file alone, or a copy of one that nobody is connected to. Call it at the top level
 * of the file or in a hook; it is closed after the file's last test.
 */
export async function createTestDatabase(original?: string): Promise<TestDatabase> {
  const { adminUrl, template: migrated } = await testEngine('/postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = original ? new URL(original).pathname.slice(1) : migrated;
  const databaseUrl = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  // A copy of its files takes a tenth of the time of one through the log.
  await runAsAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const connection = connectDatabase({ databaseUrl, applicationName: 'durasync test' });
  afterAll(async () => {
    await connection.close();
    // It goes with the server. Dropping its files now makes every later one slow to create on ext4.
    await runAsAdmin(
      adminUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    );
  });
  await setSearchPath(connection.db);
  // Settings of a database count for connections made later, so this one is replaced.
  await discardIdle(connection.pool);
  return { ...connection, databaseUrl };
}

async function discardIdle(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  client.release(true);
}

async function runAsAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export interface TestNamespace {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
}

/**
 * A Temporal namespace of this test file alone, with our search attributes. Call it at the top level of the file;
 * its client is closed after the file's last test.
 */
export async function createTestNamespace(): Promise<TestNamespace> {
  const { address } = await testEngine('/temporal');
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  const connection = await Connection.connect({ address });
  afterAll(() => connection.close());
  await ensureNamespace({ connection, namespace, retentionDays: 1, applyTo: 'new' });
  await registerSearchAttributes(connection, namespace);
  return { address, namespace, client: new Client({ connection, namespace }) };
}

/**
 * A Temporal test server that skips time while workflows wait. Call it at the top level of a test file; it is
 * stopped after the file's last test.
 */
export async function startTimeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const { path } = await testEngine('/time-skipping-server');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  afterAll(() => environment.teardown());
  return environment;
}
