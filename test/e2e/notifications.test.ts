import { expect, test } from 'vitest';
import { NOTIFICATIONS_ID } from '../../src/domain/ids.ts';
import { vehicleFile, FLEET_PATHS } from '../support/fleet-files.ts';
import { startFakeSlack } from '../support/fake-slack.ts';
import { startFleetHarness } from '../support/sync-harness.ts';
import { waitUntil } from '../support/wait-until.ts';

const slack = await startFakeSlack();
const fleet = await startFleetHarness({ SLACK_WEBHOOK: slack.webhook, NOTIFY_COMPLETED: 'fleet' });
const only = { tables: ['vehicles'] };
const first = (text: string): string => text.split('\n')[0] ?? '';
const settled = () => fleet.client.workflow.getHandle(NOTIFICATIONS_ID).result();

test('a failure, the recovery and the completion reach Slack, each once', async () => {
  fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, 'no such feed');
  expect(await fleet.run(only)).toMatchObject({ status: 'failed' });
  await settled();
  expect(await fleet.run(only)).toMatchObject({ status: 'failed' });
  fleet.server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(10));
  expect(await fleet.run(only)).toMatchObject({ status: 'completed' });
  await settled();
  expect(slack.texts.map(first)).toEqual([
    '*fleet failed*',
    '*fleet has recovered*',
    expect.stringMatching(/^\*fleet completed: 10 rows in [\d.]+ s\*$/),
  ]);
});

test('a run completes when nobody can be told, and the workflow that tells says why', async () => {
  slack.texts.length = 0;
  slack.answers.push({ status: 403, text: 'invalid_token' });
  expect(await fleet.run(only)).toMatchObject({ status: 'completed' });
  await settled();
  await waitUntil('it was refused', () => slack.texts.length === 1);
  expect(
    await fleet.rows(`SELECT status, error_message FROM durasync.notification_deliveries
                           ORDER BY notification_id DESC LIMIT 1`),
  ).toEqual([{ status: 'failed', error_message: 'Slack answered 403: invalid_token.' }]);
  const history = await fleet.client.workflow.getHandle(NOTIFICATIONS_ID).fetchHistory();
  expect(JSON.stringify(history)).not.toContain(slack.secret);
});
