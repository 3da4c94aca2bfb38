import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema, execute, getNamedType, parse, validate } from 'graphql';
import type { DocumentNode, ExecutionResult, GraphQLFieldResolver } from 'graphql';
import { actualCost, requestedCost } from './fake-shopify-cost.ts';
import { FAKE_SHOPIFY_SCHEMA } from './fake-shopify-schema.ts';

/** A record with the fields of the schema; a list stands for a connection. */
export type FakeNode = Record<string, unknown> & { readonly id: string; readonly updatedAt?: string };

export interface FakeShop {
  name: string;
  accessToken: string;
  orders: FakeNode[];
  products: FakeNode[];
  customers: FakeNode[];
  inventoryItems: FakeNode[];
  /** In points and points per second. */
  bucket: { maximumAvailable: number; restoreRate: number };
}

/** Given instead of the real answer; without a body the real one comes, late by `delayMs`. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
  readonly delayMs?: number;
}

interface FakeRequest {
  readonly shopDomain: string;
  readonly accessToken: string | undefined;
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export interface FakeShopify {
  /** What SHOPIFY_BASE_URL takes. */
  readonly url: string;
  /** By domain; may be changed at any time. */
  readonly shops: Map<string, FakeShop>;
  readonly requests: FakeRequest[];
  /** By the number of the request, counted from 1; `every` answers all others. */
  readonly script: Map<number | 'every', ScriptedAnswer>;
  close(): Promise<void>;
}

const API_PATH = '/admin/api/2026-07/graphql.json';

/** A shop without records and with the bucket of a plan of the middle. */
export const emptyShop = (changes: Partial<FakeShop> = {}): FakeShop => ({
  name: 'A shop',
  accessToken: 'shpat_0123456789abcdef',
  orders: [],
  products: [],
  customers: [],
  inventoryItems: [],
  bucket: { maximumAvailable: 2_000, restoreRate: 100 },
  ...changes,
});

/** The Admin GraphQL API over HTTP on loopback, executing queries against a part of the real schema. */
export async function startFakeShopify(shops: Readonly<Record<string, FakeShop>>): Promise<FakeShopify> {
  const schema = buildSchema(FAKE_SHOPIFY_SCHEMA);
  const buckets = new Map<string, { available: number; atMs: number }>();
  const fake = {
    shops: new Map(Object.entries(shops)),
    requests: [] as FakeRequest[],
    script: new Map<number | 'every', ScriptedAnswer>(),
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const shopDomain = path.endsWith(API_PATH) ? path.slice(1, -API_PATH.length) : '';
    const body = JSON.parse(await readText(request)) as {
      query: string;
      variables?: FakeRequest['variables'];
    };
    const variables = body.variables ?? {};
    const header = request.headers['x-shopify-access-token'];
    fake.requests.push({
      shopDomain,
      accessToken: Array.isArray(header) ? header[0] : header,
      operation: /query\s+(\w+)/.exec(body.query)?.[1] ?? '',
      variables,
      atMs: performance.now(),
    });
    const scripted = fake.script.get(fake.requests.length) ?? fake.script.get('every') ?? {};
    if (scripted.delayMs !== undefined) await sleep(scripted.delayMs);
    if (scripted.body !== undefined || scripted.status !== undefined) {
      return send(response, scripted.status ?? 200, scripted.body ?? '', scripted.headers);
    }
    const shop = fake.shops.get(shopDomain);
    if (shop === undefined) return send(response, 404, { errors: 'Not Found' });
    if (header !== shop.accessToken) return send(response, 401, { errors: REFUSED_TOKEN });
    send(response, 200, answer(shopDomain, shop, body.query, variables));
  }

  function answer(shopDomain: string, shop: FakeShop, query: string, variables: FakeRequest['variables']) {
    const document = parse(query);
    const invalid = validate(schema, document);
    if (invalid.length > 0) return { errors: invalid.map(({ message }) => ({ message })) };
    const requestedQueryCost = requestedCost(schema, document, variables);
    const available = availableIn(shopDomain, shop);
    const cost = (actualQueryCost: number | null, currentlyAvailable: number) => ({
      cost: { requestedQueryCost, actualQueryCost, throttleStatus: { ...shop.bucket, currentlyAvailable } },
    });
    if (requestedQueryCost > available) {
      return {
        errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
        extensions: cost(null, Math.floor(available)),
      };
    }
    const result = run(shop, document, variables);
    const actual = actualCost(result.data) - 1;
    buckets.set(shopDomain, { available: available - actual, atMs: performance.now() });
    return { ...result, extensions: cost(actual, Math.floor(available - actual)) };
  }

  function availableIn(shopDomain: string, { bucket }: FakeShop): number {
    const known = buckets.get(shopDomain);
    if (known === undefined) return bucket.maximumAvailable;
    const restored = ((performance.now() - known.atMs) / 1000) * bucket.restoreRate;
    return Math.min(bucket.maximumAvailable, known.available + restored);
  }

  const run = (shop: FakeShop, document: DocumentNode, variableValues: FakeRequest['variables']) =>
    execute({
      schema,
      document,
      rootValue: { ...shop, shop: { name: shop.name } },
      variableValues,
      fieldResolver: resolveField,
    }) as ExecutionResult;

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...fake,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const REFUSED_TOKEN = '[API] Invalid API key or access token (unrecognized login or wrong password)';

function send(
  response: ServerResponse,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const resolveField: GraphQLFieldResolver<Record<string, unknown>, unknown> = (
  source,
  args,
  _context,
  info,
) => {
  const value = source[info.fieldName];
  if (getNamedType(info.returnType).name.endsWith('Connection'))
    return connectionOf(value as FakeNode[], args);
  if (info.parentType.name === 'QueryRoot' && 'id' in args) {
    return (source[`${info.fieldName}s`] as FakeNode[]).find((node) => node.id === args['id']) ?? null;
  }
  if (info.fieldName === 'quantities') {
    return (value as { name: string }[]).filter(({ name }) => (args['names'] as string[]).includes(name));
  }
  return value;
};

/** Cursors say after which record a page begins, so records that move do not shift the pages behind them. */
function connectionOf(nodes: readonly FakeNode[], args: Record<string, unknown>) {
  const since =
    typeof args['query'] === 'string' ? /^updated_at:>='(.+)'$/.exec(args['query'])?.[1] : undefined;
  const sinceMs = since === undefined ? -Infinity : Date.parse(since);
  const wanted = nodes
    .filter(({ updatedAt }) => since === undefined || Date.parse(updatedAt ?? '') >= sinceMs)
    .map((node, index) => {
      const position = String(index).padStart(9, '0');
      return { node, key: args['sortKey'] === 'UPDATED_AT' ? `${node.updatedAt} ${node.id}` : position };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const after = typeof args['after'] === 'string' ? Buffer.from(args['after'], 'base64').toString() : '';
  const rest = wanted.filter(({ key }) => key > after);
  const page = rest.slice(0, Number(args['first']));
  const last = page.at(-1);
  return {
    nodes: page.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rest.length > page.length,
      endCursor: last === undefined ? null : Buffer.from(last.key).toString('base64'),
    },
  };
}
