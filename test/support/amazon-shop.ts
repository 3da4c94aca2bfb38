import { Agent } from 'undici';
import { afterAll } from 'vitest';
import { type AmazonClientOptions, createAmazonClient } from '../../src/connectors/amazon/amazon-client.ts';
import { createLwaTokenCache } from '../../src/connectors/amazon/lwa-token-cache.ts';
import type { ShopClient, ShopDataType, ShopPage } from '../../src/connectors/shop/shop-client.ts';
import { type FakeAmazon, type FakeAmazonOptions, startFakeAmazon } from './fake-amazon.ts';

export const US = 'ATVPDKIKX0DER';
export const CA = 'A2EUQ1WTGCTBG2';

/** An hour of its own for everything numbered. */
export const at = (number: number): string => new Date(Date.UTC(2026, 9, 1, number)).toISOString();

export const order = (number: number, over: Record<string, unknown> = {}) => ({
  orderId: `900-0000000-${String(number).padStart(7, '0')}`,
  createdTime: at(0),
  lastUpdatedTime: at(number),
  salesChannel: { channelName: 'AMAZON', marketplaceId: number % 2 ? US : CA },
  orderItems: [{ orderItemId: String(number), quantityOrdered: 1, product: { sellerSku: `SKU-${number}` } }],
  ...over,
});

export const listing = (number: number, places: Record<string, string> = { [US]: at(number) }) => ({
  sku: `SKU-${number}`,
  summaries: Object.entries(places).map(([marketplaceId, lastUpdatedDate]) => ({
    marketplaceId,
    asin: `B0${marketplaceId.slice(0, 2)}${number}`,
    productType: 'HOME',
    status: ['BUYABLE'],
    createdDate: at(0),
    lastUpdatedDate,
  })),
});

export const summary = (number: number) => ({
  asin: `B0${number}`,
  sellerSku: `SKU-${number}`,
  lastUpdatedTime: at(number),
  totalQuantity: number,
});

/** The numbers from 1 to `count`, each turned into something. */
export const many = <T>(count: number, make: (number: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index + 1));

export interface AmazonShop {
  readonly fake: FakeAmazon;
  readonly client: ShopClient;
  /** Another client of the same seller, with a token cache of its own unless given. */
  connect(options?: Partial<AmazonClientOptions>): ShopClient;
}

/** A fake seller and a client that reads it over HTTP, without a rate limit of ours unless given. */
export async function startAmazonShop(options: FakeAmazonOptions = {}): Promise<AmazonShop> {
  const fake = await startFakeAmazon(options);
  const http = new Agent();
  afterAll(() => http.destroy());
  const connect = (over: Partial<AmazonClientOptions> = {}): ShopClient =>
    createAmazonClient({
      ...fake.settings,
      credentials: fake.credentials,
      http,
      takeTurn: async () => {},
      tokens: createLwaTokenCache(),
      ...over,
    });
  return { fake, client: connect(), connect };
}

/** Every page until the last, resuming each time from nothing but the cursor's text. */
export async function readAll(
  client: ShopClient,
  dataType: ShopDataType,
  since: string | null = null,
): Promise<ShopPage[]> {
  const pages: ShopPage[] = [];
  let cursor: string | null = null;
  do {
    const page: ShopPage = await client.fetchPage(dataType, since, cursor, AbortSignal.timeout(10_000));
    pages.push(page);
    cursor = page.nextCursor;
  } while (cursor !== null && pages.length < 1000);
  return pages;
}

export const idsOf = (pages: readonly ShopPage[]): string[] =>
  pages.flatMap(({ records }) => records.map(({ externalId }) => externalId));
