import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { addClient, addCredential, readClientState, setClientPaused } from '../../src/db/clients.ts';
import { recordClientRun } from '../../src/db/record-client-run.ts';
import type { EndedRun } from '../../src/domain/clients.ts';
import { createTestDatabase } from '../support/engines.ts';
import { addRunRow } from '../support/run-row.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const REFUSED = 'Shopify shop acme: the access token is refused';
const { db, pool } = await createTestDatabase();

let clientId: string;
let credentialId: string;
beforeEach(async () => {
  clientId = `client-${randomUUID()}`;
  await addClient(db, clientId, 'A client');
  credentialId = await addWith({});
  await set(`due_at = now(), next_sync_at = now()`);
});

/** Adds the connection, or gives it these secrets. */
const addWith = (secrets: object, frequencyHours = 24): Promise<string> =>
  addCredential(db, TEST_KEYS, {
    clientId,
    platform: 'shopify',
    connectionName: 'main',
    credentials: JSON.stringify(secrets),
    frequencyHours,
  });

async function connection() {
  const { rows } = await pool.query(
    `SELECT * FROM commerce.client_api_credentials WHERE credential_id = $1`,
    [credentialId],
  );
  return rows[0];
}

/** In how many hours it is tried next. */
async function nextInHours(): Promise<number> {
  const { next_sync_at: next } = await connection();
  return Math.round(((next.getTime() - Date.now()) / HOUR_MS) * 100) / 100 + 0;
}

const set = (columns: string): Promise<unknown> =>
  pool.query(`UPDATE commerce.client_api_credentials SET ${columns} WHERE credential_id = $1`, [
    credentialId,
  ]);

async function end(run: Partial<EndedRun> & { readonly failureCode?: string | null } = {}): Promise<string> {
  const { failureCode = null, ...changes } = run;
  const runId = await addRunRow(pool, { failureCode });
  await recordClientRun(db, {
    clientId,
    credentialId,
    workflowId: `client/${clientId}/${credentialId}/x`,
    runId,
    trigger: 'schedule',
    triggeredBy: 'schedule',
    startedAt: new Date().toISOString(),
    outcome: 'success',
    message: null,
    ...changes,
  });
  return runId;
}

const refuse = (changes: Partial<EndedRun> & { readonly failureCode?: string } = {}): Promise<string> =>
  end({ outcome: 'failure', message: REFUSED, failureCode: 'SourceUnauthorized', ...changes });

async function waitsOf(times: number): Promise<number[]> {
  const waits: number[] = [];
  for (let n = 0; n < times; n += 1) {
    await refuse();
    waits.push(await nextInHours());
  }
  return waits;
}

const pauses = async () =>
  (await pool.query(`SELECT * FROM durasync.audit_log WHERE subject = $1`, [clientId])).rows;
const noticesOf = async (runId: string): Promise<string[]> =>
  (
    await pool.query(`SELECT metadata->'notices' AS notices FROM durasync.sync_runs WHERE run_id = $1`, [
      runId,
    ])
  ).rows[0].notices ?? [];

describe('a connection that is not let in', () => {
  test('is tried again after 1, 2, 4, 8 and 16 hours, and then every day', async () => {
    expect(await waitsOf(8)).toEqual([1, 2, 4, 8, 16, 24, 24, 24]);
  });

  test('is tried again no more often than its frequency when that is longer than a day', async () => {
    await addWith({}, 48);
    expect(await waitsOf(8)).toEqual([1, 2, 4, 8, 16, 32, 48, 48]);
  });

  test('begins with its frequency when that is shorter than an hour, and passes over its due times', async () => {
    await addWith({}, 0.25);
    expect(await waitsOf(4)).toEqual([0.25, 0.5, 1, 2]);
  });

  test.each(['SourceUnauthorized', 'SourceNotFound', 'SourceNotConfigured'])(
    'backs off for %s',
    async (failureCode) => {
      await refuse({ failureCode });
      await refuse({ failureCode });
      expect(await nextInHours()).toBe(2);
    },
  );

  test('is tried again each hour as long as the reason is another one', async () => {
    for (let n = 0; n < 3; n += 1) await refuse({ failureCode: 'SourceUnavailable' });
    for (let n = 0; n < 3; n += 1) await end({ outcome: 'failure', message: 'no code' });
    expect(await nextInHours()).toBe(1);
    expect(await connection()).toMatchObject({ refusals: 0, refused_since: null, status: 'error' });
  });

  test('keeps its place in the waits when another failure comes in between', async () => {
    await waitsOf(3);
    await refuse({ failureCode: 'SourceUnavailable' });
    expect(await waitsOf(1)).toEqual([8]);
  });

  test('begins anew after a run that was let in, also when only some of it was stored', async () => {
    for (const outcome of ['success', 'partial'] as const) {
      await waitsOf(3);
      await end({ outcome });
      expect(await connection()).toMatchObject({ refusals: 0, refused_since: null, status: 'connected' });
      expect(await waitsOf(1)).toEqual([1]);
      await end();
    }
  });

  test('is not tried later because a person forces it in between', async () => {
    await refuse({ trigger: 'signal' });
    expect(await nextInHours()).toBe(1);
    await waitsOf(2);
    const { next_sync_at: planned } = await connection();
    for (let n = 0; n < 5; n += 1) await refuse({ trigger: 'signal' });
    expect((await connection()).next_sync_at).toEqual(planned);
    expect(await waitsOf(1)).toEqual([8]);
  });

  test.each([
    [REFUSED, 'error'],
    ["the seller's permission (refresh_token) is revoked (invalid_grant)", 'revoked'],
    ["the seller's permission (refresh_token) is expired (invalid_grant)", 'expired'],
  ])('with "%s" shows the status %s', async (message, status) => {
    await refuse({ message });
    expect(await connection()).toMatchObject({ status, error_message: message });
  });

  test('does not count as expired because of an expired certificate', async () => {
    await refuse({ failureCode: 'SourceUnavailable', message: 'the certificate has expired' });
    expect(await connection()).toMatchObject({ status: 'error' });
  });
});

describe('seven days of nothing but refusals', () => {
  const forDays = async (days: number): Promise<void> => {
    await refuse();
    await set(`refused_since = now() - interval '${days} days'`);
  };

  test('pause the connection with the reason, and say so once', async () => {
    await forDays(7);
    const runId = await refuse();
    expect(await connection()).toMatchObject({
      paused: true,
      paused_by: 'refusals',
      paused_reason: `not let in for 7 days: ${REFUSED}`,
    });
    expect((await readClientState(db, clientId))?.credentials[0]?.pausedReason).toContain('not let in');
    expect(await pauses()).toMatchObject([
      { actor: 'durasync', action: 'pause connection', detail: { credentialId, platform: 'shopify' } },
    ]);
    const [notice, ...more] = await noticesOf(runId);
    expect(notice).toContain(`clients resume ${clientId}`);
    expect(more).toEqual([]);
    // A run that was open meanwhile.
    expect(await noticesOf(await refuse({ trigger: 'signal' }))).toEqual([]);
    expect(await pauses()).toHaveLength(1);
  });

  test('are not over a minute earlier', async () => {
    await forDays(7);
    await set(`refused_since = refused_since + interval '1 minute'`);
    await refuse();
    expect(await connection()).toMatchObject({ paused: false });
    expect(await pauses()).toEqual([]);
  });

  test('do not count a time in which a run was let in', async () => {
    await forDays(7);
    await end();
    await refuse();
    expect(await connection()).toMatchObject({ paused: false, refusals: 1 });
  });

  test('leave the words of a person who has paused it', async () => {
    await forDays(7);
    await setClientPaused(db, clientId, 'shop is moving');
    await refuse();
    expect(await connection()).toMatchObject({ paused_reason: 'shop is moving', paused_by: 'person' });
  });

  test.each([
    ['new credentials', () => addWith({ access_token: 'new' })],
    ['resuming the client', () => setClientPaused(db, clientId, null)],
  ])('are forgotten with %s, and it is tried at once', async (_what, mend) => {
    await forDays(7);
    await refuse();
    await mend();
    expect(await connection()).toMatchObject({
      paused: false,
      paused_reason: null,
      paused_by: null,
      refusals: 0,
      refused_since: null,
    });
    expect(await nextInHours()).toBe(0);
    expect(await waitsOf(2)).toEqual([1, 2]);
  });
});

test('new credentials of a connection that a person paused leave it paused', async () => {
  await setClientPaused(db, clientId, 'a break');
  await addWith({ access_token: 'new' });
  expect(await connection()).toMatchObject({ paused: true, paused_reason: 'a break' });
});

test('new credentials of a connection that was let in leave its next time', async () => {
  await set(`next_sync_at = now() + interval '5 hours', due_at = now() + interval '5 hours'`);
  const before = (await connection()).next_sync_at.getTime();
  await addWith({ access_token: 'new' });
  await setClientPaused(db, clientId, 'a break');
  await setClientPaused(db, clientId, null);
  expect(Math.abs((await connection()).next_sync_at.getTime() - before)).toBeLessThan(MINUTE_MS);
});
