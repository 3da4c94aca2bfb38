import { mapNode, updatedSince } from './data-type.ts';
import type { ShopifyDataType } from './data-type.ts';

const CUSTOMERS_QUERY = /* GraphQL */ `
  query Customers($first: Int!, $after: String, $filter: String) {
    customers(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
      nodes {
        id
        displayName
        firstName
        lastName
        state
        locale
        tags
        createdAt
        updatedAt
        numberOfOrders
        amountSpent {
          amount
          currencyCode
        }
        defaultEmailAddress {
          emailAddress
        }
        defaultPhoneNumber {
          phoneNumber
        }
        defaultAddress {
          city
          provinceCode
          countryCodeV2
          zip
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

export const customers: ShopifyDataType = {
  pageQuery: CUSTOMERS_QUERY,
  pageField: 'customers',
  first: 100,
  nested: null,
  filter: updatedSince,
  map: (node) => mapNode('customer', node, {}),
};
