import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createTestDatabase, createTestNamespace, startTimeSkippingServer } from '../support/engines.ts';

const database = await createTestDatabase();
const other = await createTestDatabase();
const temporal = await createTestNamespace();
const timeSkipping = await startTimeSkippingServer();

test('a test database is migrated, finds tables without a schema and is apart from other test databases', async () => {
  await sql`CREATE TABLE durasync.only_here ()`.execute(database.db);
  await expect(sql`SELECT FROM only_here`.execute(database.db)).resolves.toBeDefined();
  await expect(sql`SELECT FROM only_here`.execute(other.db)).rejects.toThrow('does not exist');
  await expect(sql`SELECT FROM sync_runs`.execute(other.db)).resolves.toBeDefined();
});

test('a test namespace takes workflows that carry our search attributes', async () => {
  const syncName = defineSearchAttributeKey('SyncName', 'KEYWORD');
  const handle = await temporal.client.workflow.start('anything', {
    taskQueue: 'nobody-listens',
    workflowId: 'w1',
    typedSearchAttributes: new TypedSearchAttributes([{ key: syncName, value: 'fleet' }]),
  });
  const { typedSearchAttributes } = await handle.describe();
  expect(typedSearchAttributes.get(syncName)).toBe('fleet');
});

test('the time-skipping server passes a day in a moment', async () => {
  const before = await timeSkipping.currentTimeMs();
  await timeSkipping.sleep('1 day');
  expect((await timeSkipping.currentTimeMs()) - before).toBeGreaterThanOrEqual(86_400_000);
});
