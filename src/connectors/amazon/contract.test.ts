import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type AmazonShop,
  listing,
  many,
  readAll,
  startAmazonShop,
} from '../../../test/support/amazon-shop.ts';
import type { LoggedRequest } from '../../../test/support/fake-amazon.ts';
import {
  AMAZON_CONTRACTS,
  AMAZON_MODELS,
  AMAZON_OPERATIONS,
  amazonModel,
  sandboxAnswers,
} from '../../../test/support/amazon-models.ts';
import { demoAmazonSeller } from '../../syncs/commerce/demo-amazon-seller.ts';
import * as answers from './answers.ts';
import { AMAZON_RATES, type AmazonOperation } from './rates.ts';

const present = existsSync(AMAZON_CONTRACTS);

/** How each operation's page and the records in it are read. */
const SCHEMAS: Readonly<Record<AmazonOperation, z.ZodType>> = {
  searchOrders: z.intersection(answers.ordersAnswer, z.object({ orders: z.array(answers.order) })),
  searchListingsItems: z.intersection(answers.listingsAnswer, z.object({ items: z.array(answers.listing) })),
  searchCatalogItems: answers.catalogAnswer,
  getInventorySummaries: z.intersection(
    answers.inventoryAnswer,
    z.object({ payload: z.object({ inventorySummaries: z.array(answers.inventorySummary) }) }),
  ),
  getMarketplaceParticipations: answers.participationsAnswer,
};

test('the contracts are there where every check has to run', () => {
  expect(present || process.env['CI'] !== 'true', `not found: ${AMAZON_CONTRACTS.pathname}`).toBe(true);
});

describe.runIf(present)("with Amazon's own models", () => {
  let shop: AmazonShop;
  let requests: LoggedRequest[];

  beforeAll(async () => {
    shop = await startAmazonShop();
    const seller = demoAmazonSeller(() => new Date('2026-11-23T12:00:00Z'));
    const { data } = shop.fake;
    data.orders.push(...seller.orders());
    data.listings.push(...seller.listings(), ...many(3, (number) => listing(number)));
    data.catalogItems.push(...seller.catalogItems());
    for (const id of shop.fake.credentials.marketplace_ids) {
      data.inventory[id] = [...seller.inventory(id), ...seller.inventory(id)];
    }
    await shop.client.testConnection(AbortSignal.timeout(5000));
    for (const since of [null, '2026-10-24T12:00:00.000Z']) {
      for (const dataType of shop.client.dataTypes) await readAll(shop.client, dataType, since);
    }
    requests = shop.fake.requests;
  });

  test.each(AMAZON_OPERATIONS)('%s is asked only what it knows, on first and later pages', (operation) => {
    const sent = requests.filter((each) => each.operation === operation);
    expect(sent.length).toBeGreaterThan(operation === 'getMarketplaceParticipations' ? 0 : 1);
    for (const { path, query } of sent) {
      expect(amazonModel(operation).wrongWithRequest(operation, path, query)).toEqual([]);
    }
  });

  test.each(AMAZON_OPERATIONS)('%s of the fake and the demo answers as its model says', (operation) => {
    for (const { status, answer } of requests.filter((each) => each.operation === operation)) {
      expect(amazonModel(operation).wrongWithAnswer(operation, status, answer)).toEqual([]);
    }
  });

  test.each(AMAZON_OPERATIONS)('%s has the rate of its usage plan', (operation) => {
    const text = readFileSync(new URL(AMAZON_MODELS[operation], AMAZON_CONTRACTS), 'utf8');
    const { perSecond, burst } = AMAZON_RATES[operation];
    const ours = JSON.parse(text) as {
      paths: Record<string, Record<string, { operationId?: string; description?: string }>>;
    };
    const described = Object.values(ours.paths).find((methods) => methods['get']?.operationId === operation);
    expect(described?.['get']?.description).toContain(`| ${perSecond} | ${burst} |`);
  });

  test('every sandbox case of our operations is read', () => {
    const ours = sandboxAnswers();
    expect(ours.map(({ op }) => op).sort()).toEqual([
      'getMarketplaceParticipations',
      'searchCatalogItems',
      'searchListingsItems',
      'searchOrders',
      'searchOrders',
      'searchOrders',
    ]);
    for (const { op, response } of ours) {
      expect(SCHEMAS[op].safeParse(response)).toMatchObject({ success: true });
    }
  });

  test('a wrong request and a wrong answer would be noticed', () => {
    const orders = amazonModel('searchOrders');
    const path = '/orders/2026-01-01/orders';
    expect(orders.wrongWithRequest('searchOrders', path, { LastUpdatedAfter: 'x' })).toEqual([
      'LastUpdatedAfter is unknown',
    ]);
    expect(orders.wrongWithRequest('searchOrders', `${path}/x`, { includedData: 'ALL' })).toHaveLength(2);
    const inventory = amazonModel('getInventorySummaries');
    expect(
      inventory.wrongWithRequest('getInventorySummaries', '/fba/inventory/v1/summaries', {}),
    ).toHaveLength(3);
    expect(orders.wrongWithAnswer('searchOrders', 200, { orders: [{ orderId: 1 }] })).toHaveLength(5);
  });
});
