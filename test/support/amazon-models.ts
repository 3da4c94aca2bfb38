import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AmazonOperation } from '../../src/connectors/amazon/rates.ts';
import { readSwaggerModel, type SwaggerModel } from './swagger-model.ts';

/** Amazon's own models lie beside a checkout, not in it. */
export const AMAZON_CONTRACTS = new URL('../../../shared/contracts/amazon/', import.meta.url);

export const AMAZON_MODELS: Readonly<Record<AmazonOperation, string>> = {
  searchOrders: 'orders_2026-01-01.json',
  searchListingsItems: 'listingsItems_2021-08-01.json',
  searchCatalogItems: 'catalogItems_2022-04-01.json',
  getInventorySummaries: 'fbaInventory.json',
  getMarketplaceParticipations: 'sellers.json',
};
export const AMAZON_OPERATIONS = Object.keys(AMAZON_MODELS) as AmazonOperation[];

export const amazonModel = (operation: AmazonOperation): SwaggerModel =>
  readSwaggerModel(new URL(AMAZON_MODELS[operation], AMAZON_CONTRACTS));

const answerOf = z.record(z.string(), z.unknown());
const sandboxCase = z.object({ op: z.string(), status: z.number(), response: answerOf.nullable() });

/** What Amazon's sandbox answers to our operations when all is well. */
export const sandboxAnswers = (): { op: AmazonOperation; response: z.infer<typeof answerOf> }[] =>
  z
    .array(sandboxCase)
    .parse(JSON.parse(readFileSync(new URL('sandbox-static.json', AMAZON_CONTRACTS), 'utf8')))
    .flatMap(({ op, status, response }) =>
      status === 200 && response && op in AMAZON_MODELS ? [{ op: op as AmazonOperation, response }] : [],
    );
