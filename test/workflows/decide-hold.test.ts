import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import type {
  CloseTableInput,
  DecideHoldInput,
  Decision,
  FinishRunInput,
  Merged,
  Review,
  Staged,
} from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunPlan, TablePlan } from '../../src/domain/run-plan.ts';
import type { RunResult } from '../../src/domain/run-result.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import type { decideHold } from '../../workflows/decide-hold.ts';
import { startTimeSkippingServer } from '../support/engines.ts';

const HOUR_MS = 3_600_000;
/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;
const environment = await startTimeSkippingServer();
await environment.connection.operatorService.addSearchAttributes({
  namespace: 'default',
  searchAttributes: { SyncName: KEYWORD, SyncTrigger: KEYWORD, RunStatus: KEYWORD },
});

interface Calls {
  readonly merged: string[];
  readonly closed: Pick<CloseTableInput, 'status' | 'message'>[];
  readonly finished: FinishRunInput[];
}

let calls: Calls;
/** What merging answers, by table. */
let merges: Record<string, () => Promise<Merged>>;
beforeEach(() => {
  calls = { merged: [], closed: [], finished: [] };
  merges = {};
});

const mergedWell: Merged = {
  outcome: 'merged',
  inserted: 1,
  updated: 0,
  unchanged: 0,
  restored: 0,
  generation: 2,
  superseded: [],
};

const worker = await Worker.create({
  connection: environment.nativeConnection,
  taskQueue: 'holds',
  workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS) },
  activities: {
    mergeStaged: async ({ table }: { table: TablePlan }): Promise<Merged> => {
      calls.merged.push(table.table);
      return (await merges[table.table]?.()) ?? mergedWell;
    },
    closeTable: async ({ status, message }: CloseTableInput): Promise<void> => {
      calls.closed.push({ status, message });
    },
    finishRun: async (input: FinishRunInput): Promise<Partial<RunResult>> => {
      calls.finished.push(input);
      return { sync: 'fleet', status: input.status ?? 'completed', tables: [], enrich: [], derive: [] };
    },
  },
});
const running = worker.run();
afterAll(async () => {
  worker.shutdown();
  await running;
});

function heldTable(name: string): DecideHoldInput['held'][number] {
  const table: TablePlan = {
    table: name,
    source: 'URL',
    archives: true,
    guards: { missingShare: 0.2, quarantineShare: 0.1, growthShare: 2 },
  };
  const staged: Staged = {
    relation: name,
    sourceFetchedAt: '2026-03-01T02:00:00.000Z',
    fetched: 1,
    staged: 1,
    quarantined: 0,
    duplicates: 0,
    unreadable: 0,
    drift: [],
  };
  const review: Review = {
    verdict: 'hold',
    reason: `${name}: too many rows are missing`,
    generation: 1,
    relation: name,
    rows: 1,
    inserted: 1,
    updated: 0,
    unchanged: 0,
    missing: 0,
    mayArchive: true,
    notices: [],
  };
  return { table, staged, review };
}

let holds = 0;

/** Starts a hold of these tables that expires after as many hours as DURASYNC_HOLD_HOURS says by default. */
function startHold(...tables: string[]) {
  holds += 1;
  const plan: RunPlan = {
    runId: `00000000-0000-0000-0000-${String(holds).padStart(12, '0')}` as RunId,
    sync: 'fleet',
    kind: 'sync',
    trigger: 'manual',
    logicalAt: '2026-03-01T02:00:00.000Z',
    timeZone: 'UTC',
    window: null,
    full: false,
    scope: '',
    sourceQueue: null,
    tables: [],
    enrich: [],
    derive: [],
    deadlineMs: HOUR_MS,
    holdMs: 24 * HOUR_MS,
  };
  return environment.client.workflow.start<typeof decideHold>('decideHold', {
    taskQueue: 'holds',
    workflowId: `hold/${plan.runId}`,
    args: [{ plan, held: tables.map(heldTable) }],
  });
}

type Hold = Awaited<ReturnType<typeof startHold>>;

const decide = (hold: Hold, decision: Decision['decision']): Promise<void> =>
  hold.executeUpdate<void, [Decision]>('decide', { args: [{ decision, by: 'Ann' }] });

const supersede = (hold: Hold, table: string, by: string): Promise<void> =>
  hold.signal('superseded', { table, by });

describe('a hold that nobody decides on', () => {
  test('expires after its hours as rejected', async () => {
    const hold = await startHold('vehicles');
    expect(await hold.result()).toMatchObject({ status: 'rejected' });
    const { startTime, closeTime } = await hold.describe();
    const hours = ((closeTime?.getTime() ?? 0) - startTime.getTime()) / HOUR_MS;
    expect(hours).toBeGreaterThanOrEqual(24);
    expect(hours).toBeLessThan(25);
    expect(calls).toMatchObject({
      merged: [],
      closed: [{ status: 'skipped', message: 'expired: nobody decided in time' }],
      finished: [{ status: 'rejected', message: 'expired: nobody decided in time' }],
    });
  });

  test('can still be approved in its last hour', async () => {
    const hold = await startHold('vehicles');
    await environment.sleep(23 * HOUR_MS);
    expect(calls.finished).toEqual([]);
    await decide(hold, 'approve');
    expect(await hold.result()).toMatchObject({ status: 'completed' });
    expect(calls.merged).toEqual(['vehicles']);
  });

  test('is cancelled as a whole', async () => {
    const hold = await startHold('vehicles', 'budgets');
    await hold.cancel();
    await expect(hold.result()).rejects.toThrow(/cancelled/i);
    expect(calls.merged).toEqual([]);
    expect(calls.closed).toHaveLength(2);
    expect(calls.finished).toMatchObject([{ status: 'cancelled', message: 'The hold was cancelled.' }]);
  });
});

describe('a hold that is decided on', () => {
  test('refuses a second decision while the first is carried out', async () => {
    let goOn: (answer: Merged) => void = () => undefined;
    merges['vehicles'] = () => new Promise((resolve) => (goOn = resolve));
    const hold = await startHold('vehicles');
    await decide(hold, 'approve');
    await expect(decide(hold, 'reject')).rejects.toThrow(WorkflowUpdateFailedError);
    await expect.poll(() => calls.merged).toEqual(['vehicles']);
    goOn(mergedWell);
    expect(await hold.result()).toMatchObject({ status: 'completed' });
  });

  test('is carried out although it is cancelled meanwhile', async () => {
    let goOn: (answer: Merged) => void = () => undefined;
    merges['vehicles'] = () => new Promise((resolve) => (goOn = resolve));
    const hold = await startHold('vehicles');
    await decide(hold, 'approve');
    await expect.poll(() => calls.merged).toEqual(['vehicles']);
    await hold.cancel();
    goOn(mergedWell);
    expect(await hold.result()).toMatchObject({ status: 'completed' });
    expect(calls).toMatchObject({
      merged: ['vehicles'],
      closed: [],
      finished: [{ decision: { action: 'approve' } }],
    });
  });

  test('merges the other tables when one of them is stale or fails', async () => {
    merges['vehicles'] = async () => ({ outcome: 'moved' });
    merges['budgets'] = () => Promise.reject(ApplicationFailure.nonRetryable('out of order'));
    const hold = await startHold('vehicles', 'budgets', 'loan_history');
    await decide(hold, 'approve');
    expect(await hold.result()).toMatchObject({ status: 'completed' });
    expect(calls.closed).toEqual([
      { status: 'skipped', message: 'stale: the table has changed since it was shown' },
      { status: 'failed', message: expect.stringContaining('out of order') },
    ]);
    expect(calls.merged).toEqual(['vehicles', 'budgets', 'loan_history']);
  }, 60_000);

  test('is rejected as stale when all of its tables have changed', async () => {
    merges['vehicles'] = async () => ({ outcome: 'lost' });
    const hold = await startHold('vehicles');
    await decide(hold, 'approve');
    expect(await hold.result()).toMatchObject({ status: 'rejected' });
    expect(calls.finished[0]?.message).toBe('stale: vehicles changed since this was shown. Start a new run.');
  });
});

describe('a hold that a later run supersedes', () => {
  test('ends as rejected when that run has merged all of its tables', async () => {
    const hold = await startHold('vehicles', 'budgets');
    await supersede(hold, 'vehicles', 'RUN-1');
    await supersede(hold, 'budgets', 'RUN-1');
    expect(await hold.result()).toMatchObject({ status: 'rejected' });
    expect(calls.merged).toEqual([]);
    expect(calls.finished[0]?.message).toBe('superseded by RUN-1');
  });

  test('waits on for the other tables, and merges only those', async () => {
    const hold = await startHold('vehicles', 'budgets');
    await supersede(hold, 'vehicles', 'RUN-1');
    await decide(hold, 'approve');
    expect(await hold.result()).toMatchObject({ status: 'completed' });
    expect(calls.merged).toEqual(['budgets']);
    expect(calls.closed).toEqual([{ status: 'skipped', message: 'superseded by RUN-1' }]);
  });
});
