import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type {
  AskedWait,
  CloseTableInput,
  PlanRunInput,
  StageInput,
  Staged,
} from '../../src/domain/contracts.ts';
import type { RunPlan } from '../../src/domain/run-plan.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { startTimeSkippingServer } from '../support/engines.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;
const environment = await startTimeSkippingServer();
const names = ['SyncName', 'ClientId', 'Platform', 'SyncTrigger', 'RunStatus'];
await environment.connection.operatorService.addSearchAttributes({
  namespace: 'default',
  searchAttributes: Object.fromEntries(names.map((name) => [name, KEYWORD])),
});

/** What the sources do, and what the steps of a run were. */
let stage: (table: string, nth: number) => Promise<void>;
let reads: RunPlan['reads'];
let refusal: Error | null;
const log: string[] = [];
const failed: CloseTableInput[] = [];
const ends: object[] = [];
const asked = new Map<string, number>();
let busy = 0;
let mostBusy = 0;
beforeEach(() => {
  stage = async () => undefined;
  reads = 'one_by_one';
  refusal = null;
  for (const list of [log, failed, ends]) list.length = 0;
  asked.clear();
  busy = mostBusy = 0;
});

const guards = { missingShare: 1, quarantineShare: 1, growthShare: 1 };
const activities = {
  planRun: async ({ runId, trigger, logicalAt }: PlanRunInput): Promise<RunPlan> => ({
    runId,
    sync: 'commerce',
    scope: 'one',
    kind: 'sync',
    trigger,
    logicalAt,
    timeZone: 'UTC',
    window: null,
    full: false,
    tables: ['orders', 'products'].map((table) => ({ table, source: 'x', archives: false, guards })),
    begins: 'with_connection_test',
    reads,
    sourceQueue: null,
    enrich: [],
    derive: [],
    deadlineMs: 6 * HOUR_MS,
    holdMs: HOUR_MS,
  }),
  async testConnection() {
    log.push('test');
    if (refusal) throw refusal;
  },
  async stageTable({ table: { table } }: StageInput): Promise<Staged> {
    const nth = (asked.get(table) ?? 0) + 1;
    asked.set(table, nth);
    busy += 1;
    mostBusy = Math.max(mostBusy, busy);
    try {
      await new Promise((resolve) => setTimeout(resolve, 100));
      log.push(table);
      await stage(table, nth);
    } finally {
      busy -= 1;
    }
    return {
      relation: table,
      sourceFetchedAt: '',
      fetched: 0,
      ended: true,
      staged: 0,
      quarantined: 0,
      duplicates: 0,
      unreadable: 0,
      drift: [],
    };
  },
  closeTable: async (input: CloseTableInput) => void failed.push(input),
  async finishRun(input: object) {
    ends.push(input);
    return { ...input, sync: 'commerce', status: 'completed', tables: [], enrich: [], derive: [] };
  },
};
const worker = await Worker.create({
  connection: environment.nativeConnection,
  taskQueue: 'runs',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities,
});
const stopped = worker.run();
afterAll(async () => {
  worker.shutdown();
  await stopped;
});

let last = 0;

/** Runs to the end. Gives how long that took by the server's clock (ms). */
async function run(): Promise<number> {
  const handle = await environment.client.workflow.start('runSync', {
    taskQueue: 'runs',
    workflowId: `run-${(last += 1)}`,
    args: [{ sync: 'commerce', scope: 'one' }],
  });
  await handle.result();
  const { startTime, closeTime = startTime } = await handle.describe();
  return closeTime.getTime() - startTime.getTime();
}

const throttled = (details: AskedWait): Error =>
  ApplicationFailure.nonRetryable('Amazon: its rate limit is used up.', 'SourceThrottled', details);

test('one by one, the tables of a run are never read at the same time', async () => {
  await run();
  expect(log).toEqual(['test', 'orders', 'products']);
  expect(mostBusy).toBe(1);
});

test('side by side, they are', async () => {
  reads = 'side_by_side';
  await run();
  expect(mostBusy).toBe(2);
});

test('a table that failed lets the next one go ahead', async () => {
  stage = async (table) => {
    if (table === 'orders') throw ApplicationFailure.nonRetryable('no', 'SourceRefused');
  };
  await run();
  expect(log).toEqual(['test', 'orders', 'products']);
  expect(failed.map(({ table, message }) => [table.table, message])).toEqual([['orders', 'no']]);
});

test('a source that asks for more waits than a step has attempts is read to its end, and the others do not wait', async () => {
  stage = async (table, nth) => {
    if (table === 'orders' && nth <= 60) throw throttled({ waitMs: 3 * MINUTE_MS, pages: nth });
  };
  const tookMs = await run();
  expect(asked.get('orders')).toBe(61);
  expect(failed).toEqual([]);
  expect(tookMs).toBeGreaterThanOrEqual(180 * MINUTE_MS);
  expect(log.slice(0, 3)).toEqual(['test', 'orders', 'products']);
});

test('a source that gives nothing after ten waits fails its table and says why', async () => {
  stage = async (table) => {
    if (table === 'orders') throw throttled({ waitMs: 1_000, pages: 3 });
  };
  const tookMs = await run();
  expect(asked.get('orders')).toBe(11);
  expect(tookMs).toBeLessThan(5 * MINUTE_MS);
  expect(failed.map(({ message }) => message)).toEqual([
    'Amazon: its rate limit is used up. It asked for a wait 11 times in a row and gave nothing in between.',
  ]);
});

test('waits that add up to more than the run may last end before it, with the reason', async () => {
  stage = async (table, nth) => {
    if (table === 'orders') throw throttled({ waitMs: HOUR_MS, pages: nth });
  };
  const tookMs = await run();
  expect(tookMs).toBeLessThan(6 * HOUR_MS);
  expect(tookMs).toBeGreaterThan(4 * HOUR_MS);
  expect(failed.map(({ message }) => message)).toEqual([
    'Amazon: its rate limit is used up. The wait of 60 minutes that it asks for would outlast this run.',
  ]);
  expect(ends).toHaveLength(1);
});

test('a source that does not let us in is asked for no table, and the run ends with the reason and its code', async () => {
  refusal = ApplicationFailure.nonRetryable('the token is refused', 'SourceUnauthorized');
  await run();
  expect(log).toEqual(['test']);
  expect(ends).toMatchObject([
    { status: 'failed', message: 'the token is refused', failureCode: 'SourceUnauthorized' },
  ]);
});
