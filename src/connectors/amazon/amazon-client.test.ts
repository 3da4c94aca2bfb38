import { describe, expect, test } from 'vitest';
import {
  at,
  CA,
  idsOf,
  listing,
  many,
  order,
  readAll,
  startAmazonShop,
  summary,
  US,
} from '../../../test/support/amazon-shop.ts';
import { createLwaTokenCache } from './lwa-token-cache.ts';

const signal = new AbortController().signal;

test('a seller that lets us in is named by its store', async () => {
  const { client, fake } = await startAmazonShop();
  expect(client.platform).toBe('amazon');
  expect(client.dataTypes).toEqual(['orders', 'products', 'inventory']);
  expect(await client.testConnection(signal)).toEqual({ name: 'Fake store' });
  const [token, call] = fake.requests;
  expect(token).toMatchObject({ operation: 'lwa', method: 'POST' });
  expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
    grant_type: 'refresh_token',
    refresh_token: fake.credentials.refresh_token,
    client_id: fake.credentials.client_id,
    client_secret: fake.credentials.client_secret,
  });
  expect(call?.headers.get('x-amz-access-token')).toMatch(/^Atza\|/);
  expect(call?.headers.get('user-agent')).toMatch(/^Durasync\/\S+ \(Language=TypeScript/);
});

test('a marketplace that the seller does not have is named by the connection test', async () => {
  const { connect, fake } = await startAmazonShop();
  const client = connect({ credentials: { ...fake.credentials, marketplace_ids: [US, 'A1F83G8C2ARO7P'] } });
  await expect(client.testConnection(signal)).rejects.toMatchObject({
    code: 'SourceRefused',
    message: expect.stringContaining('A1F83G8C2ARO7P'),
  });
});

test('customers are refused, since Amazon has none to give', async () => {
  const { client } = await startAmazonShop();
  await expect(client.fetchPage('customers', null, null, signal)).rejects.toMatchObject({
    code: 'InvalidInput',
  });
});

test('every call waits for its turn, and none is made without one', async () => {
  const { connect, fake } = await startAmazonShop();
  fake.data.listings.push(listing(1));
  const turns: string[] = [];
  const client = connect({ takeTurn: async (operation) => void turns.push(operation) });
  await client.testConnection(signal);
  for (const dataType of client.dataTypes) await readAll(client, dataType);
  const calls = fake.requests.map(({ operation }) => operation).filter((each) => each !== 'lwa');
  expect(turns).toEqual(calls);
  expect(new Set(turns).size).toBe(5);
});

describe('orders', () => {
  test('are kept as Amazon shows them, with buyer, recipient, tax, payment and packages', async () => {
    const { fake, client } = await startAmazonShop();
    const whole = order(1, {
      buyer: { buyerEmail: 'one@marketplace.amazon.example', buyerName: 'A Buyer' },
      recipient: {
        deliveryAddress: { name: 'A Buyer', addressLine1: '1 Example Street', postalCode: '00001' },
      },
      proceeds: { grandTotal: { amount: '12.00', currencyCode: 'USD' } },
      fulfillment: { fulfillmentStatus: 'SHIPPED' },
      tax: { buyerInvoicePreference: 'INDIVIDUAL' },
      payment: { paymentExecutions: [] },
      packages: [{ packageReferenceId: '1' }],
      fulfillmentOrders: [],
    });
    fake.data.orders.push(whole);
    const [page] = await readAll(client, 'orders', at(0));
    expect(page?.records[0]?.payload).toEqual(whole);
  });

  test('all pages of all marketplaces come with their items and whatever else Amazon says', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.orders.push(...many(250, (number) => order(number, { somethingNew: { number } })));
    const pages = await readAll(client, 'orders', at(1));
    expect(pages.map(({ records }) => records.length)).toEqual([100, 100, 50]);
    expect(idsOf(pages)).toEqual(fake.data.orders.map((each) => each['orderId']));
    expect(pages[1]?.records[0]).toEqual({
      externalId: '900-0000000-0000101',
      sourceUpdatedAt: at(101),
      payload: order(101, { somethingNew: { number: 101 } }),
    });
  });

  test('only those changed since are asked for, on every page', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.orders.push(...many(205, order));
    expect(idsOf(await readAll(client, 'orders', at(100)))).toHaveLength(106);
    expect(fake.callsOf('searchOrders').map(({ query }) => query['lastUpdatedAfter'])).toEqual([
      at(100),
      at(100),
    ]);
  });

  test('without a beginning everything since 2016 is asked for', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.orders.push(order(1));
    expect(idsOf(await readAll(client, 'orders', null))).toHaveLength(1);
    expect(fake.callsOf('searchOrders')[0]?.query['lastUpdatedAfter']).toBe('2016-01-01T00:00:00Z');
  });

  test('another process goes on from the cursor without fetching a finished page again', async () => {
    const { client, connect, fake } = await startAmazonShop();
    fake.data.orders.push(...many(250, order));
    const first = await client.fetchPage('orders', at(0), null, signal);
    const second = await connect().fetchPage('orders', at(0), first.nextCursor, signal);
    expect(idsOf([second])[0]).toBe('900-0000000-0000101');
    expect(fake.callsOf('searchOrders').map(({ query }) => query['paginationToken'])).toEqual([
      undefined,
      JSON.parse(first.nextCursor ?? '').token,
    ]);
  });

  test('one without an id is rejected with its reason and text, the others are kept', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.orders.push(order(1), order(3, { orderId: undefined }), order(5, { orderId: '' }), order(7));
    const [page] = await readAll(client, 'orders');
    expect(page?.records).toHaveLength(2);
    expect(page?.rejected).toHaveLength(2);
    expect(page?.rejected[0]?.reason).toContain('orderId');
    expect(page?.rejected[0]?.raw).toContain('SKU-3');
  });

  test('one without a readable time of change is kept without it', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.orders.push(order(1, { lastUpdatedTime: 'soon' }), order(3, { lastUpdatedTime: undefined }));
    const [page] = await readAll(client, 'orders');
    expect(page?.records.map(({ sourceUpdatedAt }) => sourceUpdatedAt)).toEqual([null, null]);
  });
});

describe('products', () => {
  test('each SKU is one record: its listing in all marketplaces with its catalog item', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.listings.push(listing(1, { [CA]: at(9), [US]: at(2) }), listing(10, { [CA]: at(10) }), {
      sku: 'SKU-11',
      summaries: [],
    });
    fake.data.catalogItems.push({ asin: 'B0AT1', name: 'one' }, { asin: 'B0A210', name: 'ten' });
    const [page] = await readAll(client, 'products');
    const bySku = new Map(page?.records.map((record) => [record.externalId, record]));
    expect([...bySku.keys()].sort()).toEqual(['SKU-1', 'SKU-10', 'SKU-11']);
    expect(bySku.get('SKU-1')).toEqual({
      externalId: 'SKU-1',
      sourceUpdatedAt: at(9),
      payload: { ...listing(1, { [CA]: at(9), [US]: at(2) }), catalogItem: { asin: 'B0AT1', name: 'one' } },
    });
    expect(bySku.get('SKU-10')?.payload['catalogItem']).toEqual({ asin: 'B0A210', name: 'ten' });
    expect(bySku.get('SKU-11')).toMatchObject({ sourceUpdatedAt: null, payload: { catalogItem: null } });
    expect(
      fake.callsOf('searchCatalogItems').map(({ query }) => [query['marketplaceIds'], query['identifiers']]),
    ).toEqual([
      [US, 'B0AT1'],
      [CA, 'B0A210'],
    ]);
  });

  test('each page of twenty asks the catalog once', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.listings.push(...many(45, (number) => listing(number)));
    expect(idsOf(await readAll(client, 'products'))).toHaveLength(45);
    expect(fake.callsOf('searchListingsItems')).toHaveLength(3);
    expect(
      fake.callsOf('searchCatalogItems').map(({ query }) => query['identifiers']?.split(',').length),
    ).toEqual([20, 20, 5]);
  });

  test('a seller with more listings than one search shows gets them all', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.listings.push(...many(2300, (number) => listing(number)));
    const ids = idsOf(await readAll(client, 'products'));
    expect(new Set(ids).size).toBe(2300);
    expect(ids.length).toBeLessThan(2310);
  });

  test('more listings of one instant than a search shows are refused, not left out', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.listings.push(...many(1100, (number) => listing(number, { [US]: at(1) })));
    await expect(readAll(client, 'products')).rejects.toMatchObject({
      code: 'SourceRefused',
      message: expect.stringContaining('1000 listings'),
    });
  });
});

describe('inventory', () => {
  test('each marketplace is read to its end, one record for each of its SKUs', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.inventory = { [US]: many(70, summary), [CA]: many(3, summary) };
    const pages = await readAll(client, 'inventory', at(0));
    expect(pages.map(({ records }) => records.length)).toEqual([50, 20, 3]);
    expect(new Set(idsOf(pages)).size).toBe(73);
    expect(pages[2]?.records[0]).toEqual({
      externalId: `${CA}/SKU-1`,
      sourceUpdatedAt: at(1),
      payload: { ...summary(1), marketplaceId: CA },
    });
    expect(fake.callsOf('getInventorySummaries').some(({ query }) => 'startDateTime' in query)).toBe(false);
  });

  test('a page token that is too old begins its marketplace again, without asking with it', async () => {
    let nowMs = Date.now();
    const now = () => new Date(nowMs);
    const { connect, fake } = await startAmazonShop({ now });
    const client = connect({ now, tokens: createLwaTokenCache({ now: () => nowMs }) });
    fake.data.inventory = { [US]: many(3, summary), [CA]: many(120, summary) };
    const us = await client.fetchPage('inventory', null, null, signal);
    const first = await client.fetchPage('inventory', null, us.nextCursor, signal);
    nowMs += 30_000;
    const again = await client.fetchPage('inventory', null, first.nextCursor, signal);
    expect(again).toMatchObject({ records: [], rejected: [] });
    expect(JSON.parse(again.nextCursor ?? '')).toMatchObject({ marketplace: CA, token: null, restarts: 1 });
    const repeated = await client.fetchPage('inventory', null, again.nextCursor, signal);
    expect(idsOf([repeated])).toEqual(idsOf([first]));
    expect(fake.callsOf('getInventorySummaries')).toHaveLength(3);
  });

  test('a page token that Amazon refuses begins its marketplace again, but not for ever', async () => {
    const { client, fake } = await startAmazonShop();
    fake.data.inventory = { [US]: many(120, summary) };
    const refusal = {
      status: 400,
      body: { errors: [{ code: 'InvalidInput', message: 'Next token is expired' }] },
    };
    const page = await client.fetchPage('inventory', null, null, signal);
    fake.script('getInventorySummaries', refusal);
    const again = await client.fetchPage('inventory', null, page.nextCursor, signal);
    expect(again.records).toEqual([]);

    let cursor = again.nextCursor;
    const outcome = (async () => {
      for (;;) {
        const next = await client.fetchPage('inventory', null, cursor, signal);
        cursor = next.nextCursor;
        if (next.records.length > 0) fake.script('getInventorySummaries', refusal);
      }
    })();
    await expect(outcome).rejects.toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('4 times'),
    });
  });

  test('a cursor of a marketplace that the credential lost begins with its first', async () => {
    const { client, connect, fake } = await startAmazonShop();
    fake.data.inventory = { [US]: many(60, summary), [CA]: many(2, summary) };
    const page = await client.fetchPage('inventory', null, null, signal);
    const edited = connect({ credentials: { ...fake.credentials, marketplace_ids: [CA] } });
    expect(idsOf([await edited.fetchPage('inventory', null, page.nextCursor, signal)])).toEqual([
      `${CA}/SKU-1`,
      `${CA}/SKU-2`,
    ]);
  });
});

describe('a page token that comes again', () => {
  const answer = (nextToken: string) => ({
    status: 200,
    body: { orders: [order(1)], pagination: { nextToken } },
  });

  test.each([1, 2, 5])('in a circle of %i is refused, not followed for ever', async (length) => {
    const { client, fake } = await startAmazonShop();
    fake.script('searchOrders', answer('a'), answer('b'));
    fake.script('searchOrders', ...many(60, (number) => answer(`circle ${number % length}`)));
    await expect(readAll(client, 'orders')).rejects.toMatchObject({
      code: 'SourceRefused',
      message: expect.stringContaining('same page token'),
    });
    expect(fake.requests.length).toBeLessThan(30);
  });

  test('is seen by another process too, from the cursor alone', async () => {
    const { client, connect, fake } = await startAmazonShop();
    fake.script('searchOrders', answer('a'), answer('a'));
    const { nextCursor } = await client.fetchPage('orders', null, null, signal);
    await expect(connect().fetchPage('orders', null, nextCursor, signal)).rejects.toMatchObject({
      code: 'SourceRefused',
    });
  });
});

test.each(['', 'null', '{}', '{"token":3}'])('the cursor %j is refused', async (cursor) => {
  const { client } = await startAmazonShop();
  await expect(client.fetchPage('orders', null, cursor, signal)).rejects.toMatchObject({
    code: 'SourceRefused',
  });
});
