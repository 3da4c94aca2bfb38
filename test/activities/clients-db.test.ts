import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { EndedRun } from '../../src/domain/clients.ts';
import {
  addClient,
  addCredential,
  listClientPage,
  readClientState,
  setClientFrequency,
  setClientPaused,
  viewName,
} from '../../src/db/clients.ts';
import { recordClientRun } from '../../src/db/record-client-run.ts';
import { createTestDatabase } from '../support/engines.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const { db, pool } = await createTestDatabase();

interface Times {
  readonly dueAt: number;
  readonly nextAt: number;
  readonly status: string;
  readonly error: string | null;
  readonly lastSyncAt: Date | null;
}

let clientId: string;
let credentialId: string;
beforeEach(async () => {
  clientId = `client-${randomUUID()}`;
  await addClient(db, clientId, 'A client');
  credentialId = await add('shopify', 24);
});

const add = (platform: 'shopify' | 'amazon', frequencyHours: number): Promise<string> =>
  addCredential(db, TEST_KEYS, {
    clientId,
    platform,
    connectionName: 'main',
    credentials: '{}',
    frequencyHours,
  });

async function times(id = credentialId): Promise<Times> {
  const { rows } = await pool.query(
    `SELECT due_at, next_sync_at, status, error_message, last_sync_at
     FROM commerce.client_api_credentials WHERE credential_id = $1`,
    [id],
  );
  const [row] = rows;
  return {
    dueAt: row.due_at.getTime(),
    nextAt: row.next_sync_at.getTime(),
    status: row.status,
    error: row.error_message,
    lastSyncAt: row.last_sync_at,
  };
}

/** Puts the connection's due time so far from now, and gives it (ms). */
async function dueIn(offsetMs: number): Promise<number> {
  const due = new Date(Date.now() + offsetMs);
  await pool.query(
    `UPDATE commerce.client_api_credentials SET due_at = $2, next_sync_at = $2 WHERE credential_id = $1`,
    [credentialId, due],
  );
  return due.getTime();
}

const ended = (changes: Partial<EndedRun> = {}): EndedRun => ({
  clientId,
  credentialId,
  workflowId: `client/${clientId}/${credentialId}/x`,
  runId: randomUUID(),
  trigger: 'schedule',
  triggeredBy: changes.trigger === 'signal' ? 'ann' : 'schedule',
  startedAt: new Date().toISOString(),
  outcome: 'success',
  message: null,
  ...changes,
});
const failed = { outcome: 'failure', message: 'the shop said no' } as const;

describe('the grid of due times', () => {
  test('goes on from the due time and not from the end of the run', async () => {
    const due = await dueIn(-10 * MINUTE_MS);
    await recordClientRun(db, ended());
    expect(await times()).toMatchObject({
      dueAt: due + 24 * HOUR_MS,
      nextAt: due + 24 * HOUR_MS,
      status: 'connected',
      error: null,
    });
  });

  test('skips the slots that were missed', async () => {
    const due = await dueIn(-73 * HOUR_MS);
    await recordClientRun(db, ended());
    expect(await times()).toMatchObject({ dueAt: due + 96 * HOUR_MS, nextAt: due + 96 * HOUR_MS });
  });

  test('keeps to frequencies that are fractions of an hour', async () => {
    await setClientFrequency(db, clientId, 0.1, undefined);
    const due = await dueIn(-7 * MINUTE_MS);
    await recordClientRun(db, ended());
    expect(await times()).toMatchObject({ dueAt: due + 12 * MINUTE_MS });
  });

  test('is not moved by a forced run, which only ends a wait for a retry', async () => {
    const due = await dueIn(5 * HOUR_MS);
    await recordClientRun(db, ended({ trigger: 'signal', ...failed }));
    expect((await times()).nextAt).toBeLessThan(due);
    await recordClientRun(db, ended({ trigger: 'signal' }));
    expect(await times()).toMatchObject({ dueAt: due, nextAt: due, status: 'connected' });
  });

  test('is moved also when the clock of this machine is behind the one that found it due', async () => {
    const due = await dueIn(MINUTE_MS);
    await recordClientRun(db, ended({ startedAt: new Date(due).toISOString() }));
    expect(await times()).toMatchObject({ dueAt: due + 24 * HOUR_MS });
  });
});

describe('a failed run', () => {
  test('is tried again within an hour, and the retries skip no due time', async () => {
    const due = await dueIn(-MINUTE_MS);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await recordClientRun(db, ended(failed));
      const now = await times();
      expect(now).toMatchObject({ dueAt: due + 24 * HOUR_MS, status: 'error', error: failed.message });
      expect(now.nextAt - Date.now()).toBeGreaterThan(59 * MINUTE_MS);
      expect(now.nextAt - Date.now()).toBeLessThanOrEqual(60 * MINUTE_MS);
    }
    expect((await times()).lastSyncAt).toBeNull();
    await recordClientRun(db, ended());
    expect(await times()).toMatchObject({
      dueAt: due + 24 * HOUR_MS,
      nextAt: due + 24 * HOUR_MS,
      error: null,
    });
  });

  test('is tried again after its frequency when that is shorter than an hour', async () => {
    await setClientFrequency(db, clientId, 0.25, undefined);
    const due = await dueIn(-MINUTE_MS);
    await recordClientRun(db, ended(failed));
    expect(await times()).toMatchObject({ dueAt: due + 15 * MINUTE_MS, nextAt: due + 15 * MINUTE_MS });
  });

  test('of which the others were stored counts as synced, and is not tried again before its time', async () => {
    const due = await dueIn(-MINUTE_MS);
    await recordClientRun(db, ended({ outcome: 'partial', message: 'orders: no' }));
    expect(await times()).toMatchObject({
      nextAt: due + 24 * HOUR_MS,
      status: 'connected',
      error: 'orders: no',
    });
    expect((await times()).lastSyncAt).not.toBeNull();
  });
});

describe('a result', () => {
  const results = async () =>
    (await pool.query(`SELECT * FROM commerce.client_api_sync_results WHERE client_id = $1`, [clientId]))
      .rows;

  test('is stored once, however often it is recorded', async () => {
    const due = await dueIn(-MINUTE_MS);
    const run = ended();
    for (let n = 0; n < 3; n += 1) await recordClientRun(db, run);
    await Promise.all([1, 2, 3].map(() => recordClientRun(db, run)));
    expect(await results()).toHaveLength(1);
    expect(await times()).toMatchObject({ dueAt: due + 24 * HOUR_MS });
  });

  test('is stored for a failure, also of a run that could not be started', async () => {
    await recordClientRun(db, ended({ runId: null, ...failed }));
    expect(await results()).toMatchObject([
      {
        success: false,
        error_message: failed.message,
        records_stored: 0,
        data_types_synced: [],
        sync_triggered_by: 'schedule',
        platform_type: 'shopify',
        connection_name: 'main',
      },
    ]);
  });

  test('of a connection that was removed meanwhile is left out', async () => {
    await pool.query(`DELETE FROM commerce.client_api_credentials WHERE credential_id = $1`, [credentialId]);
    await recordClientRun(db, ended());
    expect(await results()).toHaveLength(0);
  });
});

describe('a changed frequency', () => {
  test('counts from the last due time', async () => {
    const due = await dueIn(-10 * HOUR_MS);
    await recordClientRun(db, ended());
    await setClientFrequency(db, clientId, 12, undefined);
    expect(await times()).toMatchObject({ dueAt: due + 12 * HOUR_MS, nextAt: due + 12 * HOUR_MS });
    await setClientFrequency(db, clientId, 12, undefined);
    expect(await times()).toMatchObject({ dueAt: due + 12 * HOUR_MS });
    await setClientFrequency(db, clientId, 48, undefined);
    expect(await times()).toMatchObject({ dueAt: due + 48 * HOUR_MS });
  });

  test('counts from the last due time also when that run failed, and leaves its retry', async () => {
    const due = await dueIn(-MINUTE_MS);
    await recordClientRun(db, ended(failed));
    const { nextAt } = await times();
    await setClientFrequency(db, clientId, 6, undefined);
    expect(await times()).toMatchObject({ dueAt: due + 6 * HOUR_MS, nextAt });
  });

  test.each([
    ['', false],
    [', also after a forced run', true],
  ])('counts from now before the first due time%s', async (_when, forced) => {
    if (forced) await recordClientRun(db, ended({ trigger: 'signal' }));
    await setClientFrequency(db, clientId, 2, undefined);
    const { dueAt, nextAt } = await times();
    expect(nextAt).toBe(dueAt);
    expect(Math.abs(dueAt - Date.now() - 2 * HOUR_MS)).toBeLessThan(MINUTE_MS);
  });

  test('counts in the same way when a connection is added again with another one', async () => {
    const due = await dueIn(-MINUTE_MS);
    await recordClientRun(db, ended());
    expect(await add('shopify', 3)).toBe(credentialId);
    expect(await times()).toMatchObject({ dueAt: due + 3 * HOUR_MS, status: 'pending' });
  });

  test('is for one platform when one is named', async () => {
    const amazon = await add('amazon', 24);
    const before = await times();
    expect(await setClientFrequency(db, clientId, 2, 'amazon')).toBe(1);
    expect(await times()).toEqual(before);
    expect((await times(amazon)).dueAt - Date.now()).toBeGreaterThan(1.9 * HOUR_MS);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e9, 1e-9])(
    'of %s hours is refused',
    async (hours) => {
      await expect(setClientFrequency(db, clientId, hours, undefined)).rejects.toMatchObject({
        code: 'InvalidInput',
        message: expect.stringContaining('more than 0'),
      });
      await expect(add('shopify', hours)).rejects.toMatchObject({ code: 'InvalidInput' });
      expect((await readClientState(db, clientId))?.credentials[0]?.frequencyHours).toBe(24);
    },
  );

  test('of ten years can be kept', async () => {
    await setClientFrequency(db, clientId, 87_600, undefined);
    await dueIn(-HOUR_MS);
    await recordClientRun(db, ended());
    expect((await readClientState(db, clientId))?.credentials[0]?.nextSyncAt).toMatch(/^203/);
  });
});

test('first runs are spread over the hour after the client was added, or over a shorter frequency', async () => {
  const delays = async (prefix: string, hours: number): Promise<number[]> => {
    const found: number[] = [];
    for (let n = 0; n < 60; n += 1) {
      clientId = `${prefix}-${n}`;
      await addClient(db, clientId, clientId);
      const startedAt = Date.now();
      found.push((await times(await add('shopify', hours))).dueAt - startedAt);
    }
    return found.toSorted((a, b) => a - b);
  };
  const daily = await delays('daily', 24);
  expect(daily[0]).toBeLessThan(15 * MINUTE_MS);
  expect(daily.at(-1)).toBeGreaterThan(45 * MINUTE_MS);
  expect(daily.at(-1)).toBeLessThan(60 * MINUTE_MS + 1_000);
  const often = await delays('often', 0.1);
  expect(often.at(-1)).toBeGreaterThan(3 * MINUTE_MS);
  expect(often.at(-1)).toBeLessThan(6 * MINUTE_MS + 1_000);
});

describe('what a client workflow applied', () => {
  const changed = async () => {
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await listClientPage(db, after);
      found.push(...page.changed);
      if (page.last === null) return found.includes(clientId);
      after = page.last;
    }
  };

  test('is older than a connection only until the client is read again', async () => {
    expect(await changed()).toBe(true);
    await readClientState(db, clientId);
    expect(await changed()).toBe(false);
    for (const change of [
      () => setClientPaused(db, clientId, 'a break'),
      () => setClientFrequency(db, clientId, 5, undefined),
      () => add('amazon', 24),
      () => add('shopify', 24),
    ]) {
      await change();
      expect(await changed()).toBe(true);
      await readClientState(db, clientId);
      expect(await changed()).toBe(false);
    }
  });

  test('is not outdated by a run that was recorded', async () => {
    await readClientState(db, clientId);
    await recordClientRun(db, ended());
    expect(await changed()).toBe(false);
  });

  test('is null for a client that is inactive or was never there', async () => {
    await pool.query(`UPDATE commerce.clients SET active = false WHERE client_id = $1`, [clientId]);
    expect(await readClientState(db, clientId)).toBeNull();
    expect(await readClientState(db, `no "such" client'; --`)).toBeNull();
  });
});

test('a paused client shows why, for every connection', async () => {
  await add('amazon', 24);
  await setClientPaused(db, clientId, 'moving');
  expect((await readClientState(db, clientId))?.credentials.map((c) => c.pausedReason)).toEqual([
    'moving',
    'moving',
  ]);
  await setClientPaused(db, clientId, null);
  expect((await readClientState(db, clientId))?.credentials.map((c) => c.pausedReason)).toEqual([null, null]);
});

describe('a client id', () => {
  test.each([`acme's`, 'a/b', 'a b', '', 'x'.repeat(129), 'acme\n', 'ünï', '"', 'a;b', '%'])(
    '%j is refused',
    async (id) => {
      await expect(addClient(db, id, 'A client')).rejects.toMatchObject({ code: 'InvalidInput' });
    },
  );

  test.each([
    ['acme', 'client_acme_data'],
    ['acme-shop-2', 'client_acme_shop_2_data'],
    ['a_b', 'client_a_b_data'],
    ['x'.repeat(51), `client_${'x'.repeat(51)}_data`],
  ])('%s gives the view %s', (id, name) => {
    expect(viewName(id, false)).toBe(name);
  });

  test.each([
    ['Acme', false, /^client_acme_[0-9a-f]{6}_data$/],
    ['a.b', false, /^client_a_b_[0-9a-f]{6}_data$/],
    ['a:b', false, /^client_a_b_[0-9a-f]{6}_data$/],
    ['acme', true, /^client_acme_[0-9a-f]{6}_data$/],
    ['x'.repeat(52), false, /^client_x{44}_[0-9a-f]{6}_data$/],
    ['x'.repeat(128), false, /^client_x{44}_[0-9a-f]{6}_data$/],
  ])('%s (taken: %s) gives a view with a hash', (id, taken, name) => {
    expect(viewName(id, taken)).toMatch(name);
    expect(viewName(id, taken).length).toBeLessThanOrEqual(63);
  });

  test('of another client never gives the same view, also when they are added at the same time', async () => {
    const ids = ['Same-1', 'same-1', 'same_1', 'same.1', 'same:1', 'SAME_1'];
    await Promise.all(ids.map((id) => addClient(db, id, id)));
    await Promise.all(ids.map((id) => addClient(db, id, `${id} again`)));
    const { rows } = await pool.query(`SELECT view_name FROM commerce.clients WHERE client_id = ANY ($1)`, [
      ids,
    ]);
    expect(new Set(rows.map((row) => row.view_name)).size).toBe(ids.length);
    expect(rows.filter((row) => row.view_name === 'client_same_1_data')).toHaveLength(1);
  });
});
