import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll } from 'vitest';
import type { AmazonCredentials } from '../../src/connectors/amazon/credentials.ts';
import type { AmazonOperation, OperationRate } from '../../src/connectors/amazon/rates.ts';
import {
  type AmazonItem,
  type AmazonSeller,
  mountAmazonApi,
} from '../../src/syncs/commerce/demo-amazon-api.ts';

type FakeOperation = AmazonOperation | 'lwa';

export interface LoggedRequest {
  readonly operation: FakeOperation;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Headers;
  /** The form of a token request. */
  readonly body: string;
  readonly status: number;
  readonly answer: unknown;
}

/** What the next call of an operation gets instead of its answer; 'hang' never answers. */
export type Scripted =
  | 'hang'
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      /** Sent as it is; anything but a text as JSON. Given the access token, to play a server that repeats it. */
      readonly body?: string | object | ((accessToken: string) => unknown);
    };

export interface FakeAmazonOptions {
  /** Operations that answer 429 above this rate; the others are not limited. */
  readonly rates?: Partial<Record<AmazonOperation, OperationRate>>;
  /** What every answer names as the rate of its operation, in calls per second. */
  readonly namedRate?: number;
  readonly now?: () => Date;
}

export interface FakeAmazon {
  readonly settings: { readonly spApiBaseUrl: string; readonly lwaUrl: string };
  readonly credentials: AmazonCredentials;
  /** What the seller has; change it as you like. */
  readonly data: Record<'orders' | 'listings' | 'catalogItems', AmazonItem[]> & {
    inventory: Record<string, AmazonItem[]>;
  };
  readonly requests: LoggedRequest[];
  callsOf(operation: FakeOperation): LoggedRequest[];
  script(operation: FakeOperation, ...answers: Scripted[]): void;
}

const OPERATIONS: readonly (readonly [RegExp, FakeOperation])[] = [
  [/^\/auth\/o2\/token$/, 'lwa'],
  [/^\/orders\/2026-01-01\/orders$/, 'searchOrders'],
  [/^\/listings\/2021-08-01\/items\/[^/]+$/, 'searchListingsItems'],
  [/^\/catalog\/2022-04-01\/items$/, 'searchCatalogItems'],
  [/^\/fba\/inventory\/v1\/summaries$/, 'getInventorySummaries'],
  [/^\/sellers\/v1\/marketplaceParticipations$/, 'getMarketplaceParticipations'],
];

const MARKETPLACES = [
  { id: 'ATVPDKIKX0DER', countryCode: 'US', name: 'Amazon.com', currency: 'USD' },
  { id: 'A2EUQ1WTGCTBG2', countryCode: 'CA', name: 'Amazon.ca', currency: 'CAD' },
];

/** Login with Amazon and the Selling Partner API for one seller, on loopback; closed after the file's last test. */
export async function startFakeAmazon({
  rates = {},
  namedRate,
  now = () => new Date(),
}: FakeAmazonOptions = {}): Promise<FakeAmazon> {
  const data: FakeAmazon['data'] = { orders: [], listings: [], catalogItems: [], inventory: {} };
  const seller: AmazonSeller = {
    sellerId: 'A1SELLER/X',
    storeName: 'Fake store',
    clientId: 'amzn1.application-oa2-client.fake',
    clientSecret: 'client/secret+FAKE',
    refreshToken: 'Atzr|refresh/token+FAKE',
    marketplaces: MARKETPLACES,
    orders: () => data.orders,
    listings: () => data.listings,
    catalogItems: () => data.catalogItems,
    inventory: (marketplaceId) => data.inventory[marketplaceId] ?? [],
  };
  const requests: LoggedRequest[] = [];
  const scripted = new Map<FakeOperation, Scripted[]>();
  const buckets = new Map<FakeOperation, { tokens: number; at: number }>();

  const app = new Hono();
  app.use('*', async (context, next) => {
    const request = context.req;
    const operation = OPERATIONS.find(([path]) => path.test(request.path))?.[1];
    if (operation === undefined) throw new Error(`no operation is at ${request.path}`);
    const body = request.method === 'POST' ? await request.raw.clone().text() : '';
    const instead = scripted.get(operation)?.shift();
    if (instead === 'hang') await new Promise(() => {});
    else if (instead !== undefined)
      context.res = scriptedResponse(instead, request.header('x-amz-access-token') ?? '');
    else if (isLimited(operation)) {
      context.res = scriptedResponse(
        { status: 429, body: { errors: [{ code: 'QuotaExceeded', message: 'You exceeded your quota.' }] } },
        '',
      );
    } else await next();
    if (namedRate !== undefined) context.res.headers.set('x-amzn-RateLimit-Limit', String(namedRate));
    requests.push({
      operation,
      method: request.method,
      path: request.path,
      query: request.query(),
      headers: request.raw.headers,
      body,
      status: context.res.status,
      answer: await context.res
        .clone()
        .json()
        .catch(() => undefined),
    });
  });
  mountAmazonApi(app, { prefix: '', seller, now });

  function isLimited(operation: FakeOperation): boolean {
    const rate = operation === 'lwa' ? undefined : rates[operation];
    if (rate === undefined) return false;
    const at = performance.now();
    const bucket = buckets.get(operation) ?? { tokens: rate.burst, at };
    const tokens = Math.min(rate.burst, bucket.tokens + ((at - bucket.at) / 1000) * rate.perSecond);
    buckets.set(operation, { tokens: tokens < 1 ? tokens : tokens - 1, at });
    return tokens < 1;
  }

  const server = createServer(getRequestListener(app.fetch));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    settings: { spApiBaseUrl: url, lwaUrl: `${url}/auth/o2/token` },
    credentials: {
      seller_id: seller.sellerId,
      marketplace_ids: MARKETPLACES.map(({ id }) => id),
      client_id: seller.clientId,
      client_secret: seller.clientSecret,
      refresh_token: seller.refreshToken,
      region: 'na',
    },
    data,
    requests,
    callsOf: (operation) => requests.filter((each) => each.operation === operation),
    script: (operation, ...answers) =>
      void scripted.set(operation, [...(scripted.get(operation) ?? []), ...answers]),
  };
}

function scriptedResponse(
  { status, headers = {}, body = '' }: Exclude<Scripted, 'hang'>,
  token: string,
): Response {
  const said: unknown = typeof body === 'function' ? body(token) : body;
  const text = typeof said === 'string' ? said : JSON.stringify(said);
  return new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } });
}
