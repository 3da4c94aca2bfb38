import type { Hono } from 'hono';
import { mountAmazonApi } from './demo-amazon-api.ts';
import { demoAmazonSeller } from './demo-amazon-seller.ts';

const PREFIX = '/amazon';

/** One made-up seller behind the Selling Partner API: some 360 orders, 36 SKUs and their stock. */
export const amazonDemo = {
  /** The variables that point the commerce sync at the demo source server. */
  settings: (baseUrl: string): Record<string, string> => ({
    AMAZON_SPAPI_BASE_URL: baseUrl + PREFIX,
    AMAZON_LWA_URL: `${baseUrl}${PREFIX}/auth/o2/token`,
  }),

  /** What lets the demo's client read this seller. */
  credentials() {
    const seller = demoAmazonSeller(() => new Date());
    return {
      seller_id: seller.sellerId,
      marketplace_ids: seller.marketplaces.map(({ id }) => id),
      client_id: seller.clientId,
      client_secret: seller.clientSecret,
      refresh_token: seller.refreshToken,
      region: 'na' as const,
    };
  },

  mount(app: Hono, now: () => Date): void {
    mountAmazonApi(app, { prefix: PREFIX, seller: demoAmazonSeller(now), now });
  },
};
