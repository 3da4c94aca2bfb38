import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import { storeUpload } from '../../src/db/uploads.ts';
import { archivesNext, type Review, type RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { RunResult, StepResult } from '../../src/domain/run-result.ts';
import { findUploadKind, prepareUpload } from '../../src/syncs/check-upload.ts';
import type { Upload } from '../../src/syncs/define-sync.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { type ActivityHarness, readingOf, tableOfRun } from './activity-harness.ts';
import { createTestDatabase, type TestDatabase } from './engines.ts';
import { type FakeSales, SALES_KEY, startFakeSales } from './fake-sales.ts';
import { NO_CLIENTS } from './no-clients.ts';
import { NO_NOTIFICATIONS } from './no-notifications.ts';
import { TEST_KEYS } from './test-keys.ts';

/** What one run did, and what its review said. */
type Loaded = RunResult & { readonly review: Review | null; readonly superseded: readonly RunId[] };

export interface SalesHarness {
  readonly database: TestDatabase;
  readonly api: FakeSales;
  /** The variables of the worker; a test may change them. */
  readonly env: Record<string, string | undefined>;
  call: ActivityHarness['call'];
  /** A run to its end as `runSync` makes it, without a Temporal server. */
  load(input?: Partial<RunSyncInput> & { readonly logicalAt?: string }): Promise<Loaded>;
  /** Loads a file. */
  load(input: Partial<RunSyncInput>): Promise<Loaded>;
  importFile(kind: 'sales' | 'users', content: string): Promise<Loaded>;
  rows(query: string): Promise<Record<string, unknown>[]>;
}

/** At this instant it is the 27th in UTC; a run is about the 26th. */
export const NOW = '2026-11-27T02:00:00.000Z';
export const YESTERDAY = '2026-11-26';

/** A file as a person has it. */
export const uploadOfText = (fileName: string, content: string): Upload => ({
  fileName,
  options: {},
  read: async function* () {
    yield Buffer.from(content);
  },
});

/** The activities of the sales sync over a database of their own and the API over real HTTP. Call it at the top level of a file. */
export async function startSalesHarness(): Promise<SalesHarness> {
  const [database, api] = await Promise.all([createTestDatabase(), startFakeSales()]);
  const env: Record<string, string | undefined> = { SALES_API_URL: api.url, SALES_API_KEY: SALES_KEY };
  const http = createAgent();
  afterAll(() => http.close());
  const activities = createActivities({
    database,
    http,
    syncs: [sales],
    env,
    log: pino({ level: 'silent' }),
    isOpen: async () => true,
    keys: TEST_KEYS,
    clients: NO_CLIENTS,
    ...NO_NOTIFICATIONS,
  });
  const call: ActivityHarness['call'] = (name, ...input) => {
    const activity = activities[name] as (...args: unknown[]) => Promise<never>;
    return new MockActivityEnvironment().run(activity, ...input);
  };
  const load: SalesHarness['load'] = async ({
    logicalAt = NOW,
    ...input
  }: { logicalAt?: string } & Partial<RunSyncInput> = {}) => {
    const plan = await call('planRun', {
      sync: 'sales',
      tables: ['sales'],
      trigger: 'manual',
      ...input,
      runId: randomUUID() as RunId,
      workflowId: 'test',
      logicalAt,
    });
    const [table] = plan.tables;
    const of = tableOfRun(plan, table?.table ?? '');
    const notices: string[] = [];
    let review: Review | null = null;
    let superseded: readonly RunId[] = [];
    const staged = await call('stageTable', { ...of, ...readingOf(plan) });
    notices.push(...(staged.notices ?? []));
    if (!staged.ended) {
      review = await call('reviewTable', { ...of, staged, kind: plan.kind });
      notices.push(...review.notices);
      if (review.verdict === 'pass' && plan.kind !== 'plan') {
        const merged = await call('mergeStaged', { ...of, staged, review });
        if (merged.outcome !== 'merged') throw new Error(`not merged but ${merged.outcome}`);
        ({ superseded } = merged);
        if (archivesNext(of.table, review)) {
          await call('archiveMissing', { ...of, staged, review, generation: merged.generation });
        }
      }
    }
    const derive: StepResult[] = [];
    for (const step of plan.derive) {
      const { runId, sync, timeZone } = plan;
      derive.push(await call('deriveTable', { runId, sync, step, logicalAt, timeZone }));
    }
    notices.push(...derive.flatMap((step) => step.notices ?? []));
    return { ...(await call('finishRun', { runId: plan.runId, derive, notices })), review, superseded };
  };
  return {
    database,
    api,
    env,
    call,
    load,
    importFile: async (kind, content) => {
      const found = findUploadKind([sales], kind);
      const upload = await prepareUpload(found, uploadOfText(`${kind}.csv`, content));
      const uploadId = await storeUpload(database, upload, { kind, uploadedBy: 'test' });
      const tables = found.parts.map(({ table }) => table.name);
      return load({ kind: 'import', tables, uploadId, trigger: 'upload' });
    },
    rows: async (query) => (await database.pool.query(query)).rows,
  };
}
