import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { buildSchema, isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from 'graphql';
import type { GraphQLArgument, GraphQLSchema } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { requestedCost } from '../../../test/support/fake-shopify-cost.ts';
import { FAKE_SHOPIFY_SCHEMA } from '../../../test/support/fake-shopify-schema.ts';
import { SHOP_QUERY, SHOPIFY_DATA_TYPES } from './shopify-client.ts';

const SCHEMA_FILE = fileURLToPath(
  new URL('../../../../shared/contracts/shopify/admin_2026-07.graphql.gz', import.meta.url),
);
const COST_MAX = 700;

const queries = [
  { name: 'shop', query: SHOP_QUERY, variables: {} },
  ...Object.entries(SHOPIFY_DATA_TYPES).flatMap(([name, { pageQuery, first, nested }]) => [
    { name, query: pageQuery, variables: { first, nestedFirst: nested?.firstInPage } },
    ...(nested === null
      ? []
      : [{ name: `one of ${name}`, query: nested.recordQuery, variables: { first: nested.first } }]),
  ]),
];

test('every query of the connector is looked at here', () => {
  expect(new Set(queries.map(({ query }) => query)).size).toBe(8);
});

test.each(queries)('the query for $name stays well under the cost of 1,000', ({ query, variables }) => {
  const cost = requestedCost(buildSchema(FAKE_SHOPIFY_SCHEMA), parse(query), variables);
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThan(COST_MAX);
});

const absent = !existsSync(SCHEMA_FILE);

test('the real schema is there when CI asks for it', () => {
  expect(absent && process.env['CI'] === 'true', `${SCHEMA_FILE} is missing`).toBe(false);
});

describe.skipIf(absent)('the real schema of version 2026-07', () => {
  let real: GraphQLSchema;
  beforeAll(() => {
    real = buildSchema(gunzipSync(readFileSync(SCHEMA_FILE)).toString(), { assumeValid: true });
  });

  test.each(queries)('accepts the query for $name', ({ query }) => {
    expect(validate(real, parse(query)).map(({ message }) => message)).toEqual([]);
  });

  test.each(queries)('has no deprecated field in the query for $name', ({ query }) => {
    expect(deprecatedIn(real, query)).toEqual([]);
  });

  test('has every type, field and argument of the fake shop', () => {
    expect(missingIn(real, buildSchema(FAKE_SHOPIFY_SCHEMA))).toEqual([]);
  });

  test('would refuse a field, and a fake, that Shopify does not have', () => {
    const planted = SHOP_QUERY.replace('name', 'nickname');
    expect(validate(real, parse(planted))).toHaveLength(1);
    const fake = buildSchema(
      'type Query { shop: Shop } type Shop { nickname: String, name(short: Int): Int }',
    );
    expect(missingIn(real, fake)).toEqual([
      'Query',
      'Shop.nickname',
      'Shop.name: Int',
      'Shop.name(short: Int)',
    ]);
    expect(deprecatedIn(real, '{ order(id: 1) { id totalPrice } }')).toEqual(['Order.totalPrice']);
  });
});

function deprecatedIn(schema: GraphQLSchema, query: string): string[] {
  const types = new TypeInfo(schema);
  const found: string[] = [];
  visit(
    parse(query),
    visitWithTypeInfo(types, {
      Field: (node) => {
        if (types.getFieldDef()?.deprecationReason)
          found.push(`${types.getParentType()?.name}.${node.name.value}`);
      },
    }),
  );
  return found;
}

/** What the part has and the whole has not, or has in another form. */
function missingIn(whole: GraphQLSchema, part: GraphQLSchema): string[] {
  return Object.values(part.getTypeMap()).flatMap((type) => {
    if (type.name.startsWith('__')) return [];
    const real = whole.getType(type.name);
    if (real === undefined) return [type.name];
    if (!isObjectType(type) || !isObjectType(real)) return [];
    return Object.values(type.getFields()).flatMap((field) => {
      const name = `${type.name}.${field.name}`;
      const realField = real.getFields()[field.name];
      if (realField === undefined) return [name];
      const realArgs = realField.args.map(signatureOf);
      const lacking = field.args.map(signatureOf).filter((arg) => !realArgs.includes(arg));
      const wrongType =
        String(realField.type) === String(field.type) ? [] : [`${name}: ${String(field.type)}`];
      return [...wrongType, ...lacking.map((arg) => `${name}(${arg})`)];
    });
  });
}

const signatureOf = ({ name, type }: GraphQLArgument): string => `${name}: ${String(type)}`;
