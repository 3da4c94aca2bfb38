import { expect, test } from 'vitest';
import { pagesStaged } from '../../src/db/pages-staged.ts';
import { readingOf, startActivityHarness, tableOfRun } from '../support/activity-harness.ts';
import { FLEET_PATHS } from '../support/fleet-files.ts';

const harness = await startActivityHarness();
const path = FLEET_PATHS.FMS_VEHICLES_CSV_URL;

async function stageVehicles(headers: Record<string, string>) {
  harness.server.answer(path, (_request, response) => void response.writeHead(429, headers).end('slow down'));
  const plan = await harness.plan(['vehicles']);
  return harness
    .call('stageTable', { ...tableOfRun(plan, 'vehicles'), ...readingOf(plan) })
    .catch((error: unknown) => error);
}

test('a source that asks for a wait gets it from the workflow, and no attempt is used up', async () => {
  expect(await stageVehicles({ 'retry-after': '90' })).toMatchObject({
    type: 'SourceThrottled',
    nonRetryable: true,
    details: [{ waitMs: 90_000, pages: 0 }],
    message: expect.stringContaining('429'),
  });
});

test('a source that is throttled and names no wait is tried again as after other failures', async () => {
  const failure = await stageVehicles({});
  expect(failure).toMatchObject({ type: 'SourceThrottled', nonRetryable: false });
  expect((failure as { details?: unknown }).details ?? []).toEqual([]);
});

test('the pages that a run has staged of a table are counted', async () => {
  const plan = await harness.plan(['media_partners']);
  expect(await pagesStaged(harness.database.db, plan.runId, 'media_partners')).toBe(0);
  await harness.call('stageTable', { ...tableOfRun(plan, 'media_partners'), ...readingOf(plan) });
  expect(await pagesStaged(harness.database.db, plan.runId, 'media_partners')).toBeGreaterThan(0);
});
