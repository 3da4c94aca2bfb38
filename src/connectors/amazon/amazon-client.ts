import { SyncFailure } from '../../domain/failures.ts';
import { type ShopClient, TEST_TIMEOUT_MS } from '../shop/shop-client.ts';
import { participationsAnswer } from './answers.ts';
import { type CallerOptions, createCaller } from './create-caller.ts';
import { LWA_URL, SP_API_BASE_URLS } from './credentials.ts';
import { fetchInventory } from './inventory.ts';
import { fetchOrders } from './orders.ts';
import { fetchProducts } from './products.ts';

export interface AmazonClientOptions extends Pick<
  CallerOptions,
  'credentials' | 'http' | 'learnRate' | 'takeTurn' | 'tokens'
> {
  /** Scheme, host and maybe a path in front of every call's own; the region's endpoint when left out. */
  readonly spApiBaseUrl?: string | undefined;
  /** The whole address that gives access tokens. */
  readonly lwaUrl?: string | undefined;
  /** For one whole answer; those of the connection test never take longer than five seconds each. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
}

/**
 * Reads one seller through the Selling Partner API: orders, products and FBA inventory. Amazon gives no customers.
 *
 * An order needs a beginning: `since` null asks for everything from 2016 on. Inventory ignores `since`.
 */
export function createAmazonClient(options: AmazonClientOptions): ShopClient {
  const { credentials, now = () => new Date(), timeoutMs = 20_000 } = options;
  const marketplaceIds = [...new Set(credentials.marketplace_ids)];
  const call = createCaller({
    ...options,
    spApiBaseUrl: options.spApiBaseUrl ?? SP_API_BASE_URLS[credentials.region],
    lwaUrl: options.lwaUrl ?? LWA_URL,
    timeoutMs,
  });

  return {
    platform: 'amazon',
    dataTypes: ['orders', 'products', 'inventory'],

    async testConnection(signal) {
      const { payload } = await call(
        {
          operation: 'getMarketplaceParticipations',
          path: '/sellers/v1/marketplaceParticipations',
          query: {},
          timeoutMs: Math.min(timeoutMs, TEST_TIMEOUT_MS),
        },
        participationsAnswer,
        signal,
      );
      const known = new Set(payload.map(({ marketplace }) => marketplace.id));
      const unknown = marketplaceIds.filter((id) => !known.has(id));
      if (unknown.length > 0 || marketplaceIds.length === 0) {
        throw new SyncFailure(
          'SourceRefused',
          `This Amazon seller has no marketplace ${unknown.join(', ') || 'in marketplace_ids'}. Correct the marketplace_ids or the region of this credential; the seller has ${[...known].join(', ')}.`,
        );
      }
      return { name: [...new Set(payload.map(({ storeName }) => storeName))].join(', ') };
    },

    async fetchPage(dataType, since, cursor, signal) {
      const request = { call, sellerId: credentials.seller_id, marketplaceIds, now, since, cursor, signal };
      switch (dataType) {
        case 'orders':
          return fetchOrders(request);
        case 'products':
          return fetchProducts(request);
        case 'inventory':
          return fetchInventory(request);
        case 'customers':
          throw new SyncFailure(
            'InvalidInput',
            'Amazon gives no customers: ask for orders, products or inventory.',
          );
      }
    },
  };
}
