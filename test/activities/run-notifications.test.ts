import { beforeEach, describe, expect, test } from 'vitest';
import type { FinishRunInput } from '../../src/domain/contracts.ts';
import type { RunPlan } from '../../src/domain/run-plan.ts';
import type { TableStatus } from '../../src/domain/run-result.ts';
import { startActivityHarness, tableOfRun } from '../support/activity-harness.ts';

const harness = await startActivityHarness();
const { call, rows, database } = harness;

type Ends = Readonly<Record<string, Extract<TableStatus, 'completed' | 'held' | 'failed' | 'skipped'>>>;
type End = Omit<FinishRunInput, 'runId'>;

async function closeTables(plan: RunPlan, ends: Ends): Promise<void> {
  for (const [table, status] of Object.entries(ends)) {
    const message = status === 'completed' ? null : `${table}: the reason`;
    await call('closeTable', { ...tableOfRun(plan, table), status, message });
  }
}

/** A run whose tables end as given. */
async function run(ends: Ends, end: End = {}): Promise<RunPlan> {
  const plan = await harness.plan(Object.keys(ends));
  await closeTables(plan, ends);
  await call('finishRun', { runId: plan.runId, ...end });
  return plan;
}

const told = async (): Promise<unknown[]> =>
  (await rows('SELECT event, kind, title FROM durasync.notifications ORDER BY id')).map(
    ({ event, kind, title }) => `${String(event)} ${String(kind)}: ${String(title)}`,
  );

beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE durasync.notifications, durasync.open_causes, durasync.sync_runs CASCADE',
  );
});

describe('a failing sync', () => {
  test('is told once, until it fails otherwise or has recovered', async () => {
    await run({ vehicles: 'failed', loan_history: 'completed' });
    await run({ vehicles: 'failed', loan_history: 'completed' });
    await run({ vehicles: 'failed', loan_history: 'failed' });
    await run({ vehicles: 'failed', loan_history: 'completed' });
    await run({ vehicles: 'completed', loan_history: 'completed' });
    await run({ vehicles: 'completed', loan_history: 'completed' });
    expect(await told()).toEqual([
      'raised failed: fleet: vehicles failed, the rest did not',
      'changed failed: fleet failed',
      'resolved failed: fleet has recovered',
    ]);
    const [{ body }] = (await rows('SELECT body FROM durasync.notifications ORDER BY id')) as [
      { body: string },
    ];
    expect(body).toMatch(
      /^- vehicles: vehicles: the reason\nRun [-0-9a-f]{36}, started .*npx durasync runs show [-0-9a-f]{36}$/,
    );
  });

  test('has not recovered by a run of other tables', async () => {
    await run({ vehicles: 'failed' });
    await run({ loan_history: 'completed' });
    expect(await told()).toHaveLength(1);
    await run({ vehicles: 'completed' });
    expect(await told()).toHaveLength(2);
  });

  test('is told when a step or the whole run fails', async () => {
    const step = { step: 'preferred days', success: false, summary: 'PostgreSQL refused', counts: {} };
    await run({ vehicles: 'completed' }, { derive: [step] });
    await run({ vehicles: 'completed' }, { derive: [{ ...step, success: true }] });
    await run({ vehicles: 'completed' }, { status: 'failed', message: 'the workflow broke' });
    await run({ vehicles: 'completed' });
    expect(await told()).toEqual([
      'raised failed: fleet: preferred days failed, the rest did not',
      'resolved failed: fleet has recovered',
      'raised failed: fleet failed',
      'resolved failed: fleet has recovered',
    ]);
  });

  test('a repeat of the end tells nothing again, also after a later run', async () => {
    const failed = await run({ vehicles: 'failed' });
    await call('finishRun', { runId: failed.runId });
    await run({ vehicles: 'completed' });
    await call('finishRun', { runId: failed.runId });
    expect(await told()).toHaveLength(2);
  });

  test("what a person cancels, plans or replays is nobody else's business", async () => {
    await run({ vehicles: 'failed' }, { status: 'cancelled', message: 'The run was cancelled.' });
    const plan = await harness.plan(['vehicles']);
    await database.pool.query(`UPDATE durasync.sync_runs SET kind = 'replay' WHERE run_id = $1`, [
      plan.runId,
    ]);
    await closeTables(plan, { vehicles: 'failed' });
    await call('finishRun', { runId: plan.runId });
    expect(await told()).toEqual([]);
  });
});

describe('a held run', () => {
  test('is told once, and once when nothing waits any more', async () => {
    const first = await run({ vehicles: 'held', loan_history: 'completed' });
    const second = await run({ vehicles: 'held' });
    await closeTables(first, { vehicles: 'skipped' });
    await call('finishRun', { runId: first.runId, status: 'rejected', message: 'rejected by ann' });
    expect(await told()).toEqual(['raised held: fleet waits for a decision: vehicles']);
    await closeTables(second, { vehicles: 'completed' });
    await call('finishRun', { runId: second.runId });
    expect(await told()).toEqual([
      'raised held: fleet waits for a decision: vehicles',
      'resolved held: fleet waits for no decision any more',
    ]);
  });

  test('another table that waits is told too', async () => {
    await run({ vehicles: 'held' });
    await run({ vehicles: 'completed', loan_history: 'held' });
    expect(await told()).toEqual([
      'raised held: fleet waits for a decision: vehicles',
      'changed held: fleet waits for a decision: loan_history',
    ]);
  });
});

describe('a backfill', () => {
  test('that fails or completes says nothing about the sync, but its holds wait for a decision', async () => {
    await run({ vehicles: 'failed' });
    const plan = await harness.plan(['vehicles', 'loan_history']);
    await database.pool.query(`UPDATE durasync.sync_runs SET trigger = 'backfill' WHERE run_id = $1`, [
      plan.runId,
    ]);
    await closeTables(plan, { vehicles: 'completed', loan_history: 'held' });
    await call('finishRun', { runId: plan.runId });
    expect(await told()).toEqual([
      'raised failed: fleet failed',
      'raised held: fleet waits for a decision: loan_history',
    ]);
  });
});

describe('what is unusual', () => {
  const grown = (count: number) => `vehicles: the source shows ${count} rows, 10 were live before.`;

  test('is told once, whatever its counts, until it was gone', async () => {
    await run({ vehicles: 'completed' }, { notices: [grown(40)] });
    await run({ vehicles: 'completed' }, { notices: [grown(1_234)] });
    await run({ loan_history: 'completed' });
    await run({ vehicles: 'completed' }, { notices: [grown(50), 'vehicles: new columns: a'] });
    await run({ vehicles: 'completed' });
    await run({ vehicles: 'completed' }, { notices: [grown(60)] });
    expect(await told()).toEqual([
      `raised unusual: fleet: ${grown(40)}`,
      'changed unusual: fleet: 2 things are unusual',
      `raised unusual: fleet: ${grown(60)}`,
    ]);
  });
});
