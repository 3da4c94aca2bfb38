import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { connectDatabase } from '../../src/db/connect.ts';
import { type RateLimit, takeTurn } from '../../src/db/rate-bucket.ts';
import { SyncFailure } from '../../src/domain/failures.ts';
import { AMAZON_RATES } from '../../src/connectors/amazon/rates.ts';
import { idsOf, listing, many, readAll, startAmazonShop } from '../support/amazon-shop.ts';
import { createTestDatabase } from '../support/engines.ts';

const { pool, databaseUrl } = await createTestDatabase();
const other = connectDatabase({ databaseUrl, applicationName: 'another worker' });
afterAll(() => other.close());
beforeEach(() => pool.query('TRUNCATE durasync.rate_buckets'));

const never = new AbortController().signal;
const slow: RateLimit = {
  name: 'amazon searchOrders',
  sharedBy: ['S1', 'app', 'na'],
  perSecond: 0.0056,
  burst: 4,
};

async function throttled(turn: Promise<void>): Promise<number> {
  const failure = await turn.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'SourceThrottled' });
  return (failure as SyncFailure).retryAfterMs ?? Number.NaN;
}

test('two workers at once never get more turns than the burst and what time adds', async () => {
  const limit = { ...slow, perSecond: 20, burst: 5 };
  const turns: number[] = [];
  const startedAt = performance.now();
  const ask = async (from: typeof pool): Promise<void> => {
    const { signal } = new AbortController();
    while (performance.now() - startedAt < 1500) {
      try {
        await takeTurn(from, limit, signal);
        turns.push(performance.now() - startedAt);
      } catch (error) {
        if (!(error instanceof SyncFailure)) throw error;
        await sleep(50);
      }
    }
  };
  await Promise.all([pool, other.pool].flatMap((from) => Array.from({ length: 8 }, () => ask(from))));
  expect(turns.length).toBeGreaterThan(20);
  for (const [index, at] of turns.sort((a, b) => a - b).entries()) {
    expect(index + 1).toBeLessThanOrEqual(limit.burst + (limit.perSecond * at) / 1000 + 1e-9);
  }
});

test('every call of a race for one burst is counted, and one turn of it is kept back', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) => takeTurn(index % 2 ? pool : other.pool, slow, never)),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
});

test('a turn that is far away is refused at once with the time until it comes', async () => {
  for (let turn = 0; turn < 3; turn += 1) await takeTurn(pool, slow, never);
  const first = await throttled(takeTurn(pool, slow, never));
  expect(first).toBeGreaterThan(177_000);
  expect(first).toBeLessThanOrEqual(1000 / 0.0056 + 1);
  await sleep(300);
  expect(await throttled(takeTurn(other.pool, slow, never))).toBeLessThanOrEqual(first - 250);
});

test('a turn that is near is waited for, in the order of asking', async () => {
  const limit = { ...slow, perSecond: 10, burst: 1 };
  const order: number[] = [];
  await takeTurn(pool, limit, never);
  const startedAt = performance.now();
  const waiting: Promise<unknown>[] = [];
  for (const number of [1, 2, 3]) {
    waiting.push(takeTurn(pool, limit, never).then(() => order.push(number)));
    await sleep(15);
  }
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  expect(performance.now() - startedAt).toBeGreaterThan(270);
});

test('time fills a bucket again, but never above its burst', async () => {
  const limit = { ...slow, burst: 3 };
  await takeTurn(pool, limit, never);
  await pool.query(`UPDATE durasync.rate_buckets SET updated_at = updated_at - interval '10 days'`);
  await takeTurn(pool, limit, never);
  await takeTurn(pool, limit, never);
  await throttled(takeTurn(pool, limit, never));
});

test('a database clock that goes back gives no turn away', async () => {
  for (let turn = 0; turn < 3; turn += 1) await takeTurn(pool, slow, never);
  await pool.query(`UPDATE durasync.rate_buckets SET updated_at = updated_at + interval '1 hour'`);
  expect(await throttled(takeTurn(pool, slow, never))).toBeGreaterThan(177_000);
});

test('other operations, sellers, apps and regions have buckets of their own', async () => {
  const one = { ...slow, burst: 1 };
  await takeTurn(pool, one, never);
  await throttled(takeTurn(pool, one, never));
  await takeTurn(pool, { ...one, name: 'amazon getOrder' }, never);
  await takeTurn(pool, { ...one, sharedBy: ['S2', 'app', 'na'] }, never);
  await takeTurn(pool, { ...one, sharedBy: ['S1', 'app2', 'na'] }, never);
  await takeTurn(pool, { ...one, sharedBy: ['S1', 'app', 'eu'] }, never);
  await takeTurn(pool, { ...one, sharedBy: ['S1app', 'na'] }, never);
});

test('an abort ends a wait at once with its reason', async () => {
  const limit = { ...slow, perSecond: 1, burst: 1 };
  await takeTurn(pool, limit, never);
  const reason = new Error('cancelled by the run');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  const startedAt = performance.now();
  await expect(takeTurn(pool, limit, controller.signal)).rejects.toBe(reason);
  expect(performance.now() - startedAt).toBeLessThan(500);
  await expect(takeTurn(pool, limit, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('two workers that take turns are never throttled by Amazon itself', async () => {
  const { connect, fake } = await startAmazonShop({ rates: AMAZON_RATES });
  fake.data.listings.push(...many(60, (number) => listing(number)));
  const workers = [pool, other.pool].map((from) =>
    connect({
      takeTurn: (operation, signal) =>
        takeTurn(
          from,
          { name: `amazon ${operation}`, sharedBy: ['S1', 'app', 'na'], ...AMAZON_RATES[operation] },
          signal,
        ),
    }),
  );
  const pages = await Promise.all(workers.map((client) => readAll(client, 'products')));
  expect(pages.map((each) => idsOf(each).length)).toEqual([60, 60]);
  expect(fake.callsOf('searchCatalogItems').map(({ status }) => status)).toEqual([
    200, 200, 200, 200, 200, 200,
  ]);
});
