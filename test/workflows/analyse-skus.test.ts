import { Worker } from '@temporalio/worker';
import { beforeEach, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type { SkuPage, SkuPageInput } from '../../src/domain/sku-analysis.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { analyseSkus } from '../../workflows/analyse-skus.ts';
import { startTimeSkippingServer } from '../support/engines.ts';

const PAGES = 450;
const environment = await startTimeSkippingServer();
let asked: SkuPageInput[] = [];
beforeEach(() => void (asked = []));

const worker = await Worker.create({
  connection: environment.nativeConnection,
  taskQueue: 'skus',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities: {
    analyseSkus: async (input: SkuPageInput): Promise<SkuPage> => {
      asked.push(input);
      const page = Number(input.after ?? 0) + 1;
      const failures = [{ clientId: `client ${page}`, message: 'odd' }];
      return { next: page < PAGES ? `${page}` : null, analysed: 2, skus: 3, older: 1, failed: 1, failures };
    },
  },
});

test('very many clients take several histories, in which nothing is lost or done twice', async () => {
  const handle = await environment.client.workflow.start<typeof analyseSkus>('analyseSkus', {
    taskQueue: 'skus',
    workflowId: 'many clients',
    args: [],
  });
  const result = await worker.runUntil(handle.result());
  expect(asked.map(({ after }) => after)).toEqual([
    null,
    ...Array.from({ length: PAGES - 1 }, (_, n) => `${n + 1}`),
  ]);
  expect(new Set(asked.map(({ at }) => at)).size).toBe(1);
  expect(result).toMatchObject({ analysed: 900, skus: 1350, older: 450, failed: 450 });
  expect(result.failures.map(({ clientId }) => clientId)).toEqual(
    Array.from({ length: 20 }, (_, n) => `client ${n + 1}`),
  );
  const last = await environment.client.workflow.getHandle('many clients').describe();
  expect(last.runId).not.toBe(handle.firstExecutionRunId);
});
