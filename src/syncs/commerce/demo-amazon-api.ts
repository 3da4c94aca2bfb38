import type { Context, Hono } from 'hono';

/** A record as Amazon shows it. */
export type AmazonItem = Readonly<Record<string, unknown>>;

/** A made-up seller: who may read it, and what there is to read at this moment. */
export interface AmazonSeller {
  readonly sellerId: string;
  readonly storeName: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly marketplaces: readonly {
    readonly id: string;
    readonly countryCode: string;
    readonly name: string;
    readonly currency: string;
  }[];
  orders(): readonly AmazonItem[];
  listings(): readonly AmazonItem[];
  catalogItems(): readonly AmazonItem[];
  inventory(marketplaceId: string): readonly AmazonItem[];
}

export interface AmazonApiOptions {
  /** In front of every path, such as '/amazon'. */
  readonly prefix: string;
  readonly seller: AmazonSeller;
  readonly now: () => Date;
}

const TOKEN_LIFE_SECONDS = 3600;
const INVENTORY_TOKEN_LIFE_MS = 30_000;
const INVENTORY_PAGE = 50;
const SEARCH_MAX_LISTINGS = 1000;

/** Speaks as much of Login with Amazon and of the Selling Partner API as reading one seller takes. */
export function mountAmazonApi(app: Hono, { prefix, seller, now }: AmazonApiOptions): void {
  const tokens = new Map<string, number>();
  let issued = 0;

  app.post(`${prefix}/auth/o2/token`, async (context) => {
    const form = await context.req.parseBody();
    const refuse = (error: string) => context.json({ error, error_description: 'Refused.' }, 400);
    if (form['grant_type'] !== 'refresh_token') return refuse('unsupported_grant_type');
    if (form['client_id'] !== seller.clientId || form['client_secret'] !== seller.clientSecret) {
      return refuse('invalid_client');
    }
    if (form['refresh_token'] !== seller.refreshToken) return refuse('invalid_grant');
    issued += 1;
    const accessToken = `Atza|${seller.sellerId}-${now().getTime()}-${issued}`;
    tokens.set(accessToken, now().getTime() + TOKEN_LIFE_SECONDS * 1000);
    return context.json({ access_token: accessToken, token_type: 'bearer', expires_in: TOKEN_LIFE_SECONDS });
  });

  const get = (path: string, answer: (context: Context) => Response): void => {
    app.get(prefix + path, (context) => {
      const endsAt = tokens.get(context.req.header('x-amz-access-token') ?? '') ?? 0;
      if (endsAt > now().getTime()) return answer(context);
      return errors(context, 403, 'Unauthorized', 'Access to requested resource is denied.');
    });
  };

  get('/sellers/v1/marketplaceParticipations', (context) =>
    context.json({
      payload: seller.marketplaces.map(({ id, countryCode, name, currency }) => ({
        marketplace: {
          id,
          countryCode,
          name,
          defaultCurrencyCode: currency,
          defaultLanguageCode: 'en_US',
          domainName: `www.${name.toLowerCase()}`,
        },
        storeName: seller.storeName,
        participation: { isParticipating: true, hasSuspendedListings: false },
      })),
    }),
  );

  get('/orders/2026-01-01/orders', (context) => {
    const { lastUpdatedAfter = '', paginationToken, maxResultsPerPage = '100' } = context.req.query();
    const since = Date.parse(lastUpdatedAfter);
    if (Number.isNaN(since))
      return errors(context, 400, 'InvalidInput', 'lastUpdatedAfter is not a date-time.');
    const marketplaces = list(context, 'marketplaceIds');
    const found = seller
      .orders()
      .filter(
        ({ lastUpdatedTime, salesChannel }) =>
          !(Date.parse(String(lastUpdatedTime)) < since) &&
          marketplaces.includes(String((salesChannel as AmazonItem | undefined)?.['marketplaceId'])),
      );
    const page = pageOf(found, paginationToken, Number(maxResultsPerPage), now());
    const asked = list(context, 'includedData');
    return context.json({
      orders: page.items.map((order) => onlyWhatIsAsked(order, asked)),
      ...page.pagination,
      lastUpdatedBefore: new Date(now().getTime() - 120_000).toISOString(),
    });
  });

  get('/listings/2021-08-01/items/:sellerId', (context) => {
    if (context.req.param('sellerId') !== seller.sellerId) {
      return errors(context, 404, 'NOT_FOUND', 'The seller was not found.');
    }
    const { lastUpdatedAfter = '1970-01-01', pageToken, pageSize = '10' } = context.req.query();
    const found = seller
      .listings()
      .filter((item) => changedAt(item) >= Date.parse(lastUpdatedAfter))
      .sort((a, b) => changedAt(a) - changedAt(b));
    const page = pageOf(found.slice(0, SEARCH_MAX_LISTINGS), pageToken, Number(pageSize), now());
    return context.json({ numberOfResults: found.length, items: page.items, ...page.pagination });
  });

  get('/catalog/2022-04-01/items', (context) => {
    const wanted = list(context, 'identifiers');
    const items = seller.catalogItems().filter(({ asin }) => wanted.includes(String(asin)));
    return context.json({ numberOfResults: items.length, items });
  });

  get('/fba/inventory/v1/summaries', (context) => {
    const { granularityId = '', nextToken } = context.req.query();
    const page = pageOf(seller.inventory(granularityId), nextToken, INVENTORY_PAGE, now());
    if (now().getTime() - page.tokenMs >= INVENTORY_TOKEN_LIFE_MS) {
      return errors(context, 400, 'InvalidInput', 'Next token is invalid or expired');
    }
    return context.json({
      payload: {
        granularity: { granularityType: 'Marketplace', granularityId },
        inventorySummaries: page.items,
      },
      ...page.pagination,
    });
  });
}

const errors = (context: Context, status: 400 | 403 | 404, code: string, message: string): Response =>
  context.json({ errors: [{ code, message, details: '' }] }, status);

/** The fields of an order that come only when they are asked for. */
const DATASETS: Readonly<Record<string, string>> = {
  buyer: 'BUYER',
  recipient: 'RECIPIENT',
  proceeds: 'PROCEEDS',
  fulfillment: 'FULFILLMENT',
  packages: 'PACKAGES',
  tax: 'TAX',
  payment: 'PAYMENT',
  fulfillmentOrders: 'FULFILLMENT_ORDERS',
};

const onlyWhatIsAsked = (order: AmazonItem, asked: readonly string[]): AmazonItem =>
  Object.fromEntries(
    Object.entries(order).filter(([field]) => !(field in DATASETS) || asked.includes(DATASETS[field] ?? '')),
  );

const list = (context: Context, name: string): string[] => (context.req.query(name) ?? '').split(',');

function changedAt({ summaries }: AmazonItem): number {
  const changes = ((summaries ?? []) as readonly AmazonItem[]).map((each) =>
    Date.parse(String(each['lastUpdatedDate'])),
  );
  return Math.max(0, ...changes);
}

/** A page token says where its page begins and when it was given. */
function pageOf(all: readonly AmazonItem[], token: string | undefined, size: number, now: Date) {
  const [start = 0, tokenMs = now.getTime()] =
    token === undefined ? [] : Buffer.from(token, 'base64').toString().split('@').map(Number);
  const next = start + size;
  return {
    items: all.slice(start, next),
    tokenMs,
    pagination:
      next < all.length
        ? { pagination: { nextToken: Buffer.from(`${next}@${now.getTime()}`).toString('base64') } }
        : {},
  };
}
