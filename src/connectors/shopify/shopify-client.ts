import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { nameSource } from '../http/name-source.ts';
import { type ShopClient, type ShopDataType, TEST_TIMEOUT_MS } from '../shop/shop-client.ts';
import { customers } from './customers.ts';
import type { ShopifyDataType } from './data-type.ts';
import { inventory } from './inventory.ts';
import { orders } from './orders.ts';
import { products } from './products.ts';
import { readPage } from './read-page.ts';
import { sendQuery } from './send-query.ts';
import type { QuerySender } from './send-query.ts';
import { shopAddress } from './shop-address.ts';
import { createThrottle, SHORT_WAIT_MAX_MS } from './throttle.ts';

export interface ShopifyClientOptions {
  readonly shopDomain: string;
  readonly accessToken: string;
  /** SHOPIFY_BASE_URL: replaces `https://{shopDomain}` with `{baseUrl}/{shopDomain}`. */
  readonly baseUrl?: string | undefined;
  readonly http: Dispatcher;
  /** For one whole answer; that of the connection test never takes longer than five seconds. */
  readonly timeoutMs?: number;
}

export const SHOPIFY_DATA_TYPES = {
  orders,
  products,
  customers,
  inventory,
} as const satisfies Record<ShopDataType, ShopifyDataType>;

export const SHOP_QUERY = /* GraphQL */ `
  query Shop {
    shop {
      name
    }
  }
`;

const shopAnswer = z.object({ shop: z.object({ name: z.string() }) });

/**
 * Reads one shop through the Admin GraphQL API. Shopify's own client would bring its own fetch, retries and
 * waits; here Temporal retries, and every wait has to end with the activity, so a POST is all that is left.
 *
 * @throws SyncFailure SourceNotConfigured for a domain, token or base address that cannot be right
 */
export function createShopifyClient(options: ShopifyClientOptions): ShopClient {
  const { accessToken, http, timeoutMs = 20_000 } = options;
  const { shopDomain, url } = shopAddress(options.shopDomain, options.baseUrl);
  const source = nameSource(`Shopify shop ${shopDomain}`, url);
  if (!/^[\x21-\x7e]+$/.test(accessToken)) {
    throw new SyncFailure('SourceNotConfigured', `${source}: access_token is empty or has spaces in it.`);
  }
  const sender: QuerySender = { url, source, accessToken, http, timeoutMs, throttle: createThrottle(source) };

  return {
    platform: 'shopify',
    dataTypes: ['orders', 'products', 'customers', 'inventory'],

    async testConnection(signal) {
      const query = { query: SHOP_QUERY, variables: {}, waitMaxMs: SHORT_WAIT_MAX_MS };
      const quick = { ...sender, timeoutMs: Math.min(timeoutMs, TEST_TIMEOUT_MS) };
      const answer = shopAnswer.safeParse(await sendQuery(quick, query, signal));
      if (!answer.success) {
        throw new SyncFailure('SourceRefused', `${source}: the answer has no name of the shop.`);
      }
      return { name: answer.data.shop.name };
    },

    fetchPage(dataType, since, cursor, signal) {
      return readPage(sender, { type: SHOPIFY_DATA_TYPES[dataType], since, cursor }, signal);
    },
  };
}
