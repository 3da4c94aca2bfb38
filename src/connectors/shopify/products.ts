import { mapNode, updatedSince } from './data-type.ts';
import type { ShopifyDataType } from './data-type.ts';

const PRODUCT_FIELDS = /* GraphQL */ `
  fragment ProductFields on Product {
    id
    title
    handle
    status
    vendor
    productType
    tags
    createdAt
    updatedAt
    publishedAt
    totalInventory
  }

  fragment ProductVariants on ProductVariantConnection {
    nodes {
      id
      title
      sku
      barcode
      position
      price
      compareAtPrice
      inventoryQuantity
      createdAt
      updatedAt
      inventoryItem {
        id
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
`;

const PRODUCTS_QUERY = /* GraphQL */ `
  query Products($first: Int!, $nestedFirst: Int!, $after: String, $filter: String) {
    products(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
      nodes {
        ...ProductFields
        variants(first: $nestedFirst) {
          ...ProductVariants
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${PRODUCT_FIELDS}
`;

const PRODUCT_QUERY = /* GraphQL */ `
  query Product($id: ID!, $first: Int!, $after: String) {
    product(id: $id) {
      ...ProductFields
      variants(first: $first, after: $after) {
        ...ProductVariants
      }
    }
  }
  ${PRODUCT_FIELDS}
`;

/** Products with all their variants; `inventoryItem.id` of a variant leads to its inventory levels. */
export const products: ShopifyDataType = {
  pageQuery: PRODUCTS_QUERY,
  pageField: 'products',
  first: 25,
  nested: {
    field: 'variants',
    firstInPage: 10,
    recordQuery: PRODUCT_QUERY,
    recordField: 'product',
    first: 100,
  },
  filter: updatedSince,
  map: (node, variants) => mapNode('product', node, { variants }),
};
