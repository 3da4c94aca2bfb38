import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { HealthReport, HealthStatus } from '../../src/domain/health.ts';
import { triggerSchedule } from '../../src/temporal/schedules.ts';
import { applySchedules } from '../../src/temporal/schedules.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createTestNamespace } from '../support/engines.ts';

const { address, namespace, client } = await createTestNamespace();
const asked: boolean[] = [];
const statuses: HealthStatus[] = ['error', 'error', 'healthy', 'healthy'];
const connection = await NativeConnection.connect({ address });
afterAll(() => connection.close());

const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: 'durasync',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities: {
    checkHealth: async (input: { databaseWasDown: boolean }): Promise<HealthReport> => {
      asked.push(input.databaseWasDown);
      const status = statuses[asked.length - 1] ?? 'healthy';
      return {
        timestamp: '2026-11-20T10:00:00Z',
        status,
        checks: [{ name: 'database', status, message: '' }],
      };
    },
  },
});

test('each run of the schedule knows whether the one before found PostgreSQL down', async () => {
  await applySchedules({ client, syncs: [], env: {} });
  await worker.runUntil(async () => {
    for (let run = 0; run < statuses.length; run += 1) {
      const triggered = await triggerSchedule(client, 'health-hourly');
      if (triggered.outcome !== 'started') throw new Error(triggered.outcome);
      await client.workflow.getHandle(triggered.workflowId, triggered.runId).result();
    }
  });
  expect(asked).toEqual([false, true, true, false]);
});
