import { z } from 'zod';
import { createAmazonClient } from '../../connectors/amazon/amazon-client.ts';
import type { AmazonCredentials } from '../../connectors/amazon/credentials.ts';
import type { LwaTokenCache } from '../../connectors/amazon/lwa-token-cache.ts';
import { AMAZON_RATES, type AmazonOperation } from '../../connectors/amazon/rates.ts';
import type { ShopClient } from '../../connectors/shop/shop-client.ts';
import { createShopifyClient } from '../../connectors/shopify/shopify-client.ts';
import { type RateLimit, takeTurn } from '../../db/rate-bucket.ts';
import { readCredential } from '../../db/clients.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { type KeyRing, SealedSecretError } from '../../key-ring.ts';
import type { SourceResources } from '../define-sync.ts';

/** One connection of one client, let in. */
interface OpenedShop {
  readonly clientId: string;
  readonly shop: ShopClient;
  readonly lookbackMs: number;
}

export type OpenShop = (resources: SourceResources) => Promise<OpenedShop>;

const DAY_MS = 86_400_000;

/** The secrets of a Shopify connection. */
export const shopifyCredentials = z.strictObject({
  shop_domain: z.string().min(1),
  access_token: z.string().min(1),
});

/** The secrets of an Amazon connection. */
export const amazonCredentials = z.strictObject({
  seller_id: z.string().min(1),
  marketplace_ids: z.array(z.string().min(1)).min(1),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  refresh_token: z.string().min(1),
  region: z.enum(['na', 'eu', 'fe']),
});

/**
 * Opens a connection for one run: reads and unseals its secrets, which stay in this process.
 *
 * @throws SyncFailure InvalidInput when the connection is gone, its key is not in the key ring, or what is sealed is
 *   not what its platform needs
 */
export function createOpenShop(tokens: LwaTokenCache): OpenShop {
  const learned = new Map<string, number>();
  return async ({ database, keys, http, settings, scope }) => {
    const credential = await readCredential(database.db, scope);
    const secrets = unseal(keys, credential.credentials, scope);
    const lookbackMs = Number(settings['COMMERCE_LOOKBACK_DAYS']) * DAY_MS;
    const text = (name: string): string | undefined => settings[name] as string | undefined;
    switch (credential.platform_type) {
      case 'shopify': {
        const { shop_domain, access_token } = readSecrets(shopifyCredentials, secrets);
        const baseUrl = text('SHOPIFY_BASE_URL');
        const shop = createShopifyClient({
          shopDomain: shop_domain,
          accessToken: access_token,
          baseUrl,
          http,
        });
        return { clientId: credential.client_id, shop, lookbackMs };
      }
      case 'amazon': {
        const credentials = readSecrets(amazonCredentials, secrets);
        const shop = createAmazonClient({
          credentials,
          spApiBaseUrl: text('AMAZON_SPAPI_BASE_URL'),
          lwaUrl: text('AMAZON_LWA_URL'),
          http,
          tokens,
          takeTurn: (operation, signal) => {
            const { perSecond, ...limit } = amazonLimit(operation, credentials);
            const known = learned.get(limit.sharedBy.join('\n'));
            return takeTurn(database.pool, { ...limit, perSecond: known ?? perSecond }, signal);
          },
          learnRate: (operation, perSecond) =>
            void learned.set(amazonLimit(operation, credentials).sharedBy.join('\n'), perSecond),
        });
        return { clientId: credential.client_id, shop, lookbackMs };
      }
    }
  };
}

function amazonLimit(
  operation: AmazonOperation,
  { seller_id, client_id, region }: AmazonCredentials,
): RateLimit {
  const { perSecond, burst } = AMAZON_RATES[operation];
  return {
    name: `amazon ${operation}`,
    sharedBy: [operation, seller_id, client_id, region],
    perSecond,
    burst,
  };
}

/** The messages of the parsers would repeat what they read, so none of them is passed on. */
function readSecrets<T>(schema: z.ZodType<T>, text: string): T {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw wrongSecrets('are not JSON');
  }
  const parsed = schema.safeParse(read);
  if (!parsed.success) throw wrongSecrets('do not have the fields that its platform needs');
  return parsed.data;
}

const wrongSecrets = (why: string): SyncFailure =>
  new SyncFailure(
    'InvalidInput',
    `The credentials of this connection ${why}. Give them again with: npx durasync clients add`,
  );

function unseal(keys: KeyRing, sealed: string, credentialId: string): string {
  try {
    return keys.open(sealed, credentialId);
  } catch (error) {
    if (error instanceof SealedSecretError) throw new SyncFailure('InvalidInput', error.message);
    throw error;
  }
}
