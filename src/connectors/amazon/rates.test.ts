import { expect, test } from 'vitest';
import { many, order, readAll, startAmazonShop } from '../../../test/support/amazon-shop.ts';
import type { AmazonOperation } from './rates.ts';

const body = { orders: [order(1)] };
const withLimit = (limit: string, status = 200) => ({
  status,
  headers: { 'x-amzn-RateLimit-Limit': limit },
  body,
});

test.each([
  ['0.5', 0.5],
  ['5', 5],
  ['0.0056', 0.0056],
])('an answer that names the rate %s teaches it', async (limit, perSecond) => {
  const learned: [AmazonOperation, number][] = [];
  const { fake, connect } = await startAmazonShop();
  const client = connect({ learnRate: (...said) => void learned.push(said) });
  fake.script('searchOrders', withLimit(limit));
  await readAll(client, 'orders');
  expect(learned).toEqual([['searchOrders', perSecond]]);
});

test.each(['', '0', '-1', 'unlimited', 'NaN', 'Infinity'])('the rate %j teaches nothing', async (limit) => {
  const learned: unknown[] = [];
  const { fake, connect } = await startAmazonShop();
  fake.script('searchOrders', withLimit(limit));
  await readAll(connect({ learnRate: (...said) => void learned.push(said) }), 'orders');
  expect(learned).toEqual([]);
});

test('a refusal teaches its rate too, and asks for a wait as long as one call takes', async () => {
  const learned: unknown[] = [];
  const { fake, connect } = await startAmazonShop();
  fake.data.orders.push(...many(1, order));
  fake.script('searchOrders', withLimit('0.25', 429));
  const client = connect({ learnRate: (...said) => void learned.push(said) });
  await expect(readAll(client, 'orders')).rejects.toMatchObject({
    code: 'SourceThrottled',
    retryAfterMs: 4_000,
  });
  expect(learned).toEqual([['searchOrders', 0.25]]);
});
