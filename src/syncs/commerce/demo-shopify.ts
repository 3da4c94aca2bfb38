import type { Hono } from 'hono';
import { z } from 'zod';
import { DEMO_SHOPS } from './demo-shop-catalogue.ts';
import type { DemoShop } from './demo-shop-catalogue.ts';
import { customerRecords, inventoryRecords, orderRecords, productRecords } from './demo-shopify-records.ts';
import type { DemoRecord } from './demo-shopify-records.ts';

const BASE_PATH = '/shopify';

const query = z.object({
  query: z.string(),
  variables: z.object({
    first: z.number().int().min(1).max(250).default(1),
    nestedFirst: z.number().int().min(1).max(250).default(1),
    after: z.string().nullish(),
    filter: z.string().nullish(),
    id: z.string().optional(),
  }),
});
type Variables = z.infer<typeof query>['variables'];

interface DemoOperation {
  /** The field of the answer's data. */
  readonly field: string;
  readonly nested: string | null;
  readonly kind: 'page' | 'record';
  records(shop: DemoShop, nowMs: number): readonly DemoRecord[];
}

/** By the name of the query. The demo has no GraphQL of its own: it knows the connector's queries by name. */
const OPERATIONS: Readonly<Record<string, DemoOperation>> = {
  Orders: { field: 'orders', nested: 'lineItems', kind: 'page', records: orderRecords },
  Order: { field: 'order', nested: 'lineItems', kind: 'record', records: orderRecords },
  Products: { field: 'products', nested: 'variants', kind: 'page', records: productRecords },
  Product: { field: 'product', nested: 'variants', kind: 'record', records: productRecords },
  Customers: { field: 'customers', nested: null, kind: 'page', records: customerRecords },
  Inventory: { field: 'inventoryItems', nested: 'inventoryLevels', kind: 'page', records: inventoryRecords },
  InventoryItem: {
    field: 'inventoryItem',
    nested: 'inventoryLevels',
    kind: 'record',
    records: inventoryRecords,
  },
};

/** A bucket that is always full: the demo is not there to be slow. */
const COST = {
  requestedQueryCost: 1,
  actualQueryCost: 1,
  throttleStatus: { maximumAvailable: 2000, currentlyAvailable: 2000, restoreRate: 100 },
};

/** The Admin API of the demo shops, a little different every hour. */
export const shopifyDemo = {
  /** The variable that leads Shopify clients to the demo source server. */
  settings: (baseUrl: string): Record<string, string> => ({ SHOPIFY_BASE_URL: baseUrl + BASE_PATH }),

  mount(app: Hono, now: () => Date): void {
    app.post(`${BASE_PATH}/:domain/admin/api/:version/graphql.json`, async (context) => {
      const shop = DEMO_SHOPS.find(({ domain }) => domain === context.req.param('domain'));
      if (shop === undefined) return context.json({ errors: 'Not Found' }, 404);
      if (!context.req.header('x-shopify-access-token')?.startsWith('demo-')) {
        return context.json(
          { errors: '[API] Invalid API key or access token (demo tokens begin with demo-)' },
          401,
        );
      }
      const asked = query.safeParse(await context.req.json().catch(() => null));
      if (!asked.success) return context.json({ errors: 'The demo shop cannot read this query.' }, 400);
      const name = /^\s*query\s+(\w+)/.exec(asked.data.query)?.[1] ?? '';
      const data = answerTo(name, shop, asked.data.variables, now().getTime());
      if (data === null) {
        return context.json({ errors: [{ message: `The demo shop does not know the query '${name}'.` }] });
      }
      return context.json({ data, extensions: { cost: COST } });
    });
  },
};

function answerTo(name: string, shop: DemoShop, variables: Variables, nowMs: number): object | null {
  if (name === 'Shop') return { shop: { name: shop.name } };
  const operation = OPERATIONS[name];
  if (operation === undefined) return null;
  const { field, nested, kind } = operation;
  const records = operation.records(shop, nowMs);
  const { first, after, filter, id } = variables;
  switch (kind) {
    case 'record': {
      const record = records.find((other) => other.id === id);
      return { [field]: record === undefined ? null : withPage(record, nested, first, after) };
    }
    case 'page': {
      const changed = records.filter(changedSince(filter)).map((record) => ({
        key: `${record.updatedAt} ${record.id}`,
        node: withPage(record, nested, variables.nestedFirst, null),
      }));
      return { [field]: pageOf(changed, first, after) };
    }
  }
}

function withPage(
  record: DemoRecord,
  nested: string | null,
  first: number,
  after: string | null | undefined,
) {
  if (nested === null) return record;
  const list = record[nested];
  const keyed = (Array.isArray(list) ? list : []).map((node: unknown, index) => ({
    key: String(index).padStart(4, '0'),
    node,
  }));
  return { ...record, [nested]: pageOf(keyed, first, after) };
}

function changedSince(filter: string | null | undefined): (record: DemoRecord) => boolean {
  const since = /^updated_at:>='(.+)'$/.exec(filter ?? '')?.[1];
  const sinceMs = since === undefined ? -Infinity : Date.parse(since);
  return ({ updatedAt }) => Date.parse(updatedAt) >= sinceMs;
}

/** A page begins after the key in its cursor, so records that change meanwhile do not shift it. */
function pageOf(
  keyed: readonly { readonly key: string; readonly node: unknown }[],
  first: number,
  after: string | null | undefined,
) {
  const afterKey = Buffer.from(after ?? '', 'base64url').toString();
  const rest = keyed.filter(({ key }) => key > afterKey).sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, first);
  const last = page.at(-1);
  return {
    nodes: page.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rest.length > page.length,
      endCursor: last === undefined ? null : Buffer.from(last.key).toString('base64url'),
    },
  };
}
