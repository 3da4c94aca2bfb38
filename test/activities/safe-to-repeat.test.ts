import { beforeAll, expect, test } from 'vitest';
import type { MergeInput, SyncActivities } from '../../src/domain/contracts.ts';
import type { RunPlan } from '../../src/domain/run-plan.ts';
import {
  loadTable,
  stageAndReview,
  startActivityHarness,
  readingOf,
  tableOfRun,
} from '../support/activity-harness.ts';
import { answerNight, secondNight, thirdNight } from '../support/fault-fleet.ts';

const harness = await startActivityHarness();
const { call, rows, server } = harness;
const LIVE = ['vehicles', 'media_partners', 'loan_history', 'current_activity', 'approved_makes'];
let plan: RunPlan;
let reviewed: MergeInput;

/** Everything in the database but attempts and the time of a table's last end. */
async function everything(): Promise<Record<string, unknown>> {
  const kept: Record<string, unknown> = {};
  for (const table of [...LIVE, ...LIVE.map((name) => `${name}_archive`), 'sync_runs', 'geocode_cache']) {
    kept[table] = await rows(`SELECT * FROM ${table} ORDER BY 1, 2`);
  }
  kept['tables'] = await rows(
    `SELECT to_jsonb(t) - 'completed_at' AS row FROM sync_run_tables t ORDER BY run_id, table_name`,
  );
  kept['quarantine'] = await rows('SELECT * FROM quarantined_rows ORDER BY id');
  kept['state'] = await rows('SELECT * FROM table_state ORDER BY table_name');
  return kept;
}

/** Calls twice; the second call returns the same and changes nothing. */
async function twice<Name extends keyof SyncActivities>(
  name: Name,
  ...input: Parameters<SyncActivities[Name]>
): Promise<Awaited<ReturnType<SyncActivities[Name]>>> {
  const first = await call(name, ...input);
  const after = await everything();
  expect(await call(name, ...input)).toEqual(first);
  expect(await everything()).toEqual(after);
  return first;
}

beforeAll(async () => {
  for (const table of ['vehicles', 'media_partners', 'loan_history']) await loadTable(harness, table);
  answerNight(server, '', secondNight);
  await loadTable(harness, 'vehicles');
  answerNight(server, '', thirdNight);
  plan = await harness.plan();
});

test('planning twice opens one run', async () => {
  const { runId, sync, trigger, logicalAt } = plan;
  await twice('planRun', { runId, sync, trigger, logicalAt, workflowId: 'test' });
  expect(await rows(`SELECT count(*) FROM sync_runs WHERE run_id = '${runId}'`)).toEqual([{ count: 1 }]);
});

test('staging twice reads the source once', async () => {
  const path = '/active_vehicles.rpt';
  const before = server.requests.get(path) ?? 0;
  const staged = await twice('stageTable', { ...tableOfRun(plan, 'vehicles'), ...readingOf(plan) });
  expect(staged).toMatchObject({ fetched: 1500, staged: 1499, quarantined: 1 });
  expect((server.requests.get(path) ?? 0) - before).toBe(1);
});

test('reviewing twice finds the same differences', async () => {
  reviewed = await stageAndReview(harness, plan, 'vehicles');
  const { staged } = reviewed;
  const review = await twice('reviewTable', { ...tableOfRun(plan, 'vehicles'), staged, kind: 'sync' });
  expect(review).toMatchObject({ verdict: 'pass', inserted: 2, updated: 1, missing: 1 });
});

const merged = { outcome: 'merged', inserted: 1, updated: 1, restored: 1, unchanged: 1496, generation: 4 };
const archived = { outcome: 'archived', archived: 1 };

test('merging twice writes once and returns the stored counts', async () => {
  expect(await twice('mergeStaged', reviewed)).toMatchObject(merged);
});

test('archiving twice moves the rows once', async () => {
  expect(await twice('archiveMissing', { ...reviewed, generation: merged.generation })).toEqual(archived);
});

test('a repeated enrich or derive step succeeds and changes nothing', async () => {
  for (const table of ['media_partners', 'loan_history']) {
    await call('mergeStaged', await stageAndReview(harness, plan, table));
  }
  const { runId, sync, logicalAt, timeZone, enrich, derive } = plan;
  const steps = [
    ...enrich.map((step) => ({ name: 'enrichTable', step }) as const),
    ...derive.map((step) => ({ name: 'deriveTable', step }) as const),
  ];
  for (const { name, step } of steps) {
    const input = { runId, sync, logicalAt, timeZone, step };
    expect(await call(name, input)).toMatchObject({ step: step.step, success: true });
    const after = await everything();
    expect(await call(name, input)).toMatchObject({ step: step.step, success: true });
    expect(await everything()).toEqual(after);
  }
});

test('closing a table, keeping its staging and finishing the run can each be repeated', async () => {
  await twice('closeTable', { ...tableOfRun(plan, 'vehicles'), status: 'completed', message: null });
  await twice('keepStaging', {
    runId: plan.runId,
    relations: [{ relation: reviewed.staged.relation, rows: reviewed.staged.staged }],
  });
  expect(await twice('finishRun', { runId: plan.runId })).toMatchObject({ success_count: 1 });
  expect(await rows(`SELECT 1 FROM pg_tables WHERE schemaname = 'durasync_staging'`)).toEqual([]);
});

test('a merge and an archive that come again after the run has ended return what they stored', async () => {
  const before = await everything();
  expect(await call('mergeStaged', reviewed)).toMatchObject(merged);
  expect(await call('archiveMissing', { ...reviewed, generation: merged.generation })).toEqual(archived);
  expect(await everything()).toEqual(before);
});

test('sweeping twice ends nothing that is open', async () => {
  await harness.plan();
  expect(await twice('sweepRuns')).toBe(0);
});
