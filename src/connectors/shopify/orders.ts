import { mapNode, updatedSince } from './data-type.ts';
import type { ShopifyDataType } from './data-type.ts';

const ORDER_FIELDS = /* GraphQL */ `
  fragment OrderFields on Order {
    id
    name
    createdAt
    updatedAt
    processedAt
    cancelledAt
    closedAt
    test
    currencyCode
    displayFinancialStatus
    displayFulfillmentStatus
    sourceName
    tags
    customer {
      id
    }
    totalPriceSet {
      shopMoney {
        amount
        currencyCode
      }
    }
    currentTotalPriceSet {
      shopMoney {
        amount
        currencyCode
      }
    }
    totalTaxSet {
      shopMoney {
        amount
        currencyCode
      }
    }
  }

  fragment OrderLines on LineItemConnection {
    nodes {
      id
      sku
      name
      title
      variantTitle
      quantity
      currentQuantity
      unfulfilledQuantity
      variant {
        id
      }
      originalUnitPriceSet {
        shopMoney {
          amount
          currencyCode
        }
      }
      discountedTotalSet {
        shopMoney {
          amount
          currencyCode
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
`;

const ORDERS_QUERY = /* GraphQL */ `
  query Orders($first: Int!, $nestedFirst: Int!, $after: String, $filter: String) {
    orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
      nodes {
        ...OrderFields
        lineItems(first: $nestedFirst) {
          ...OrderLines
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${ORDER_FIELDS}
`;

const ORDER_QUERY = /* GraphQL */ `
  query Order($id: ID!, $first: Int!, $after: String) {
    order(id: $id) {
      ...OrderFields
      lineItems(first: $first, after: $after) {
        ...OrderLines
      }
    }
  }
  ${ORDER_FIELDS}
`;

/** Orders with all their line items. E-mail and addresses stay in the shop: nothing here needs them. */
export const orders: ShopifyDataType = {
  pageQuery: ORDERS_QUERY,
  pageField: 'orders',
  first: 15,
  nested: {
    field: 'lineItems',
    firstInPage: 5,
    recordQuery: ORDER_QUERY,
    recordField: 'order',
    first: 50,
  },
  filter: updatedSince,
  map: (node, lineItems) => mapNode('order', node, { lineItems }),
};
