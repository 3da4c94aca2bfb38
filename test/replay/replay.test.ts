import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import * as workflows from '../../workflows/index.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { SALES_KEY_RECORDED } from '../support/backfill-history-scenarios.ts';
import { SHOP_TOKEN } from '../support/client-history-scenarios.ts';
import { SECRET_IN_URL } from '../support/history-scenarios.ts';

const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url));
const files = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));
/** The longest one is of a client that has run until it continued as new. */
const MAX_BYTES = 500_000;

/** Values of the exports' rows and of the shops' records, the folder of the exports' addresses, and secrets. */
const FORBIDDEN = [
  'VIN0001',
  'VIN1500',
  'Audi',
  'metallic',
  '45,210',
  'Partner 1',
  'Main St',
  'active_vehicles.rpt',
  'media_partners.rpt',
  'Customer 1',
  'Thing 1',
  'SKU-1',
  SECRET_IN_URL,
  SHOP_TOKEN,
  SALES_KEY_RECORDED,
  'test-key',
  'postgres://',
];

const codePath = await ensureWorkflowBundle(SHARED_BUILDS);

const MEANING = `The current workflow code does not do what this history shows. A run, client or hold that is under way when
people upgrade would stand still in the same way. What to do:
- If no change was meant, undo it: workflows may not read clocks, random numbers or settings, and the order of their steps counts.
- If it is meant, keep the old path beside the new one with patched() from @temporalio/workflow, until no history of before is open.
- Worker versions (DURASYNC_BUILD_ID, docs/production.md) let runs end on the code they began on, but clients and holds move on to
  new code, so syncClient and decideHold need patched() in any case.
Never edit or re-record the history of a release.`;

const read = (file: string): unknown => JSON.parse(readFileSync(HISTORIES + file, 'utf8'));

async function replay(history: unknown, workflowId: string): Promise<void> {
  try {
    await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, workflowId);
  } catch (error) {
    throw new Error(`${MEANING}\n\n${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

test('there is a history of every workflow', () => {
  const recorded = new Set(files.map((file) => file.split('.')[0]));
  expect(recorded).toEqual(new Set(Object.keys(workflows)));
});

test('every way a run, a decision and a client can go is recorded', () => {
  const scenarios = files.map((file) => file.split('.').slice(0, 2).join('.'));
  expect(scenarios).toEqual(
    expect.arrayContaining([
      'runSync.completed',
      'runSync.table-failed',
      'runSync.held',
      'runSync.plan',
      'runSync.cancelled',
      'runSync.restaged',
      'decideHold.approved',
      'decideHold.rejected',
      'decideHold.expired',
      'decideHold.superseded',
      'runSync.commerce',
      'runSync.commerce-refused',
      'syncClient.several-runs',
      'syncClient.runs-that-record-themselves',
      'syncClient.messages',
      'syncClient.failing',
      'syncClient.continued-as-new',
      'syncClient.carried-over',
      'backfillSync.completed',
      'backfillSync.paused',
      'backfillSync.continued-as-new',
      'backfillSync.carried-over',
      'backfillSync.refused',
      'reconcileClients.started',
      'reconcileClients.reloaded',
      'reconcileClients.ended',
      'undoRun.undone',
      'undoRun.refused',
    ]),
  );
});

describe.each(files)('%s', (file) => {
  test('the current code replays it', () => replay(read(file), file));

  test('it holds no row, no address and no secret, and is small', () => {
    const texts = [...textsOf(read(file))].join('\n');
    expect(FORBIDDEN.filter((value) => texts.includes(value))).toEqual([]);
    expect(readFileSync(HISTORIES + file).length).toBeLessThan(MAX_BYTES);
  });
});

test('the texts of a history include what its payloads say', () => {
  const texts = [...textsOf(read('runSync.completed.0.1.0.json'))];
  expect(texts).toContain('{"sync":"fleet"}');
});

test('a history of another step is refused, and the message says what to do', async () => {
  const history = read('sweepRuns.completed.0.1.0.json') as { events: { eventType: string }[] };
  const name = 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED';
  const changed = structuredClone(history);
  const scheduled = changed.events.find(({ eventType }) => eventType === name) as unknown as {
    activityTaskScheduledEventAttributes: { activityType: { name: string } };
  };
  scheduled.activityTaskScheduledEventAttributes.activityType.name = 'anotherStep';
  await expect(replay(changed, 'changed')).rejects.toThrow(
    /keep the old path beside the new one with patched/,
  );
});

/** Every text of a history, the payloads decoded. */
function* textsOf(value: unknown): Iterable<string> {
  if (typeof value === 'string') {
    yield value;
    yield Buffer.from(value, 'base64').toString('utf8');
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) yield* textsOf(each);
  }
}
