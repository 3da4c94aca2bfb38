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
import { readSwaggerModel, type SwaggerModel } from '../../../test/support/swagger-model.ts';
import { demoAmazonSeller } from '../../syncs/commerce/demo-amazon-seller.ts';
import * as answers from './answers.ts';
import { AMAZON_RATES, type AmazonOperation } from './rates.ts';

/** Amazon's own models lie beside a checkout, not in it. */
const CONTRACTS = new URL('../../../../shared/contracts/amazon/', import.meta.url);
const present = existsSync(CONTRACTS);

const MODELS: Readonly<Record<AmazonOperation, string>> = {
  searchOrders: 'orders_2026-01-01.json',
  searchListingsItems: 'listingsItems_2021-08-01.json',
  searchCatalogItems: 'catalogItems_2022-04-01.json',
  getInventorySummaries: 'fbaInventory.json',
  getMarketplaceParticipations: 'sellers.json',
};
const OPERATIONS = Object.keys(MODELS) as AmazonOperation[];

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

const sandboxCase = z.object({ op: z.string(), status: z.number(), response: z.unknown() });

test('the contracts are there where every check has to run', () => {
  expect(present || process.env['CI'] !== 'true', `not found: ${CONTRACTS.pathname}`).toBe(true);
});

describe.runIf(present)("with Amazon's own models", () => {
  const model = (operation: AmazonOperation): SwaggerModel =>
    readSwaggerModel(new URL(MODELS[operation], CONTRACTS));
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

  test.each(OPERATIONS)('%s is asked only what it knows, on first and later pages', (operation) => {
    const sent = requests.filter((each) => each.operation === operation);
    expect(sent.length).toBeGreaterThan(operation === 'getMarketplaceParticipations' ? 0 : 1);
    for (const { path, query } of sent) {
      expect(model(operation).wrongWithRequest(operation, path, query)).toEqual([]);
    }
  });

  test.each(OPERATIONS)('%s of the fake and the demo answers as its model says', (operation) => {
    for (const { status, answer } of requests.filter((each) => each.operation === operation)) {
      expect(model(operation).wrongWithAnswer(operation, status, answer)).toEqual([]);
    }
  });

  test.each(OPERATIONS)('%s has the rate of its usage plan', (operation) => {
    const text = readFileSync(new URL(MODELS[operation], CONTRACTS), 'utf8');
    const { perSecond, burst } = AMAZON_RATES[operation];
    const ours = JSON.parse(text) as {
      paths: Record<string, Record<string, { operationId?: string; description?: string }>>;
    };
    const described = Object.values(ours.paths).find((methods) => methods['get']?.operationId === operation);
    expect(described?.['get']?.description).toContain(`| ${perSecond} | ${burst} |`);
  });

  test('every sandbox case of our operations is read', () => {
    const cases = z
      .array(sandboxCase)
      .parse(JSON.parse(readFileSync(new URL('sandbox-static.json', CONTRACTS), 'utf8')));
    const ours = cases.filter(({ op, status }) => status === 200 && op in SCHEMAS);
    expect(ours.map(({ op }) => op).sort()).toEqual([
      'getMarketplaceParticipations',
      'searchCatalogItems',
      'searchListingsItems',
      'searchOrders',
      'searchOrders',
      'searchOrders',
    ]);
    for (const { op, response } of ours) {
      expect(SCHEMAS[op as AmazonOperation].safeParse(response)).toMatchObject({ success: true });
    }
  });

  test('a wrong request and a wrong answer would be noticed', () => {
    const orders = model('searchOrders');
    const path = '/orders/2026-01-01/orders';
    expect(orders.wrongWithRequest('searchOrders', path, { LastUpdatedAfter: 'x' })).toEqual([
      'LastUpdatedAfter is unknown',
    ]);
    expect(orders.wrongWithRequest('searchOrders', `${path}/x`, { includedData: 'ALL' })).toHaveLength(2);
    const inventory = model('getInventorySummaries');
    expect(
      inventory.wrongWithRequest('getInventorySummaries', '/fba/inventory/v1/summaries', {}),
    ).toHaveLength(3);
    expect(orders.wrongWithAnswer('searchOrders', 200, { orders: [{ orderId: 1 }] })).toHaveLength(5);
  });
});
