import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import type { SyncActivities, TableOfRun } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunKind, RunPlan } from '../../src/domain/run-plan.ts';
import { type CsvServer, startCsvServer } from './csv-server.ts';
import { createTestDatabase, type TestDatabase } from './engines.ts';
import { answerNight, faultFleet, firstNight, fleetVariables } from './fault-fleet.ts';
import { NO_CLIENTS } from './no-clients.ts';
import { NO_NOTIFICATIONS } from './no-notifications.ts';
import { runActivity } from './temporal-log.ts';
import { TEST_KEYS } from './test-keys.ts';

type Activity = keyof SyncActivities;

export interface ActivityHarness {
  readonly database: TestDatabase;
  readonly server: CsvServer;
  /** Runs one activity as a worker would, without a Temporal server. */
  call<Name extends Activity>(
    name: Name,
    ...input: Parameters<SyncActivities[Name]>
  ): Promise<Awaited<ReturnType<SyncActivities[Name]>>>;
  /** Plans a run, of all tables or some. */
  plan(tables?: readonly string[]): Promise<RunPlan>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/** The activities over a database and exports of their own. Call it at the top level of a test file. */
export async function startActivityHarness(): Promise<ActivityHarness> {
  const [database, server] = await Promise.all([createTestDatabase(), startCsvServer()]);
  answerNight(server, '', firstNight);
  const http = createAgent();
  afterAll(() => http.close());
  const activities = createActivities({
    database,
    http,
    syncs: [faultFleet],
    env: fleetVariables(server, ''),
    log: pino({ level: 'silent' }),
    isOpen: async () => true,
    keys: TEST_KEYS,
    clients: NO_CLIENTS,
    ...NO_NOTIFICATIONS,
  });
  const call: ActivityHarness['call'] = (name, ...input) => {
    const activity = activities[name] as (...args: unknown[]) => Promise<never>;
    return runActivity(activity, ...input);
  };
  return {
    database,
    server,
    call,
    plan: (tables) =>
      call('planRun', {
        sync: 'fleet',
        tables,
        runId: randomUUID() as RunId,
        workflowId: 'test',
        trigger: 'manual',
        logicalAt: new Date().toISOString(),
      }),
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}

/** The part of most inputs that names one table of a run. */
export function tableOfRun({ runId, sync, scope, tables }: RunPlan, name: string): TableOfRun {
  const table = tables.find((each) => each.table === name);
  if (!table) throw new Error(`the plan has no table ${name}`);
  return { runId, sync, scope, table };
}

/** The part of a staging's input that says what is read. */
export const readingOf = ({ kind, logicalAt, timeZone, window, full }: RunPlan) => ({
  kind,
  logicalAt,
  timeZone,
  window,
  full,
});

/** Stages and reviews one table of a run. */
export async function stageAndReview(
  { call }: ActivityHarness,
  plan: RunPlan,
  name: string,
  kind: RunKind = 'sync',
) {
  const of = tableOfRun(plan, name);
  const staged = await call('stageTable', { ...of, ...readingOf({ ...plan, kind }) });
  const review = await call('reviewTable', { ...of, staged, kind });
  return { ...of, staged, review };
}

/** Loads one table in a run of its own. */
export async function loadTable(harness: ActivityHarness, name: string): Promise<RunPlan> {
  const plan = await harness.plan([name]);
  const reviewed = await stageAndReview(harness, plan, name);
  const merged = await harness.call('mergeStaged', reviewed);
  if (merged.outcome !== 'merged') throw new Error(`${name} was not merged but ${merged.outcome}`);
  if (reviewed.review.missing > 0) {
    await harness.call('archiveMissing', { ...reviewed, generation: merged.generation });
  }
  await harness.call('closeTable', { ...tableOfRun(plan, name), status: 'completed', message: null });
  await harness.call('finishRun', { runId: plan.runId });
  return plan;
}
