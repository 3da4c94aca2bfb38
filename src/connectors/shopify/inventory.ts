import { z } from 'zod';
import type { RejectedRecord, ShopRecord } from '../shop/shop-client.ts';
import { gidNumber, isoTime, rejectedNode } from './data-type.ts';
import type { MappedRecords, ShopifyDataType, ShopifyNode } from './data-type.ts';

const INVENTORY_FIELDS = /* GraphQL */ `
  fragment InventoryItemFields on InventoryItem {
    id
    sku
    tracked
    updatedAt
  }

  fragment InventoryLevels on InventoryLevelConnection {
    nodes {
      id
      updatedAt
      location {
        id
        name
      }
      quantities(names: ["available", "on_hand", "committed", "incoming", "reserved"]) {
        name
        quantity
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
`;

const INVENTORY_QUERY = /* GraphQL */ `
  query Inventory($first: Int!, $nestedFirst: Int!, $after: String, $filter: String) {
    inventoryItems(first: $first, after: $after, query: $filter) {
      nodes {
        ...InventoryItemFields
        inventoryLevels(first: $nestedFirst) {
          ...InventoryLevels
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${INVENTORY_FIELDS}
`;

const INVENTORY_ITEM_QUERY = /* GraphQL */ `
  query InventoryItem($id: ID!, $first: Int!, $after: String) {
    inventoryItem(id: $id) {
      ...InventoryItemFields
      inventoryLevels(first: $first, after: $after) {
        ...InventoryLevels
      }
    }
  }
  ${INVENTORY_FIELDS}
`;

/**
 * One record for each item at each location, `itemId:locationId`. Every item is read every time, because the
 * shop filters items by their own changes and not by those of their levels; unchanged levels are left out here.
 */
export const inventory: ShopifyDataType = {
  pageQuery: INVENTORY_QUERY,
  pageField: 'inventoryItems',
  first: 20,
  nested: {
    field: 'inventoryLevels',
    firstInPage: 4,
    recordQuery: INVENTORY_ITEM_QUERY,
    recordField: 'inventoryItem',
    first: 40,
  },
  filter: () => null,
  map: mapLevels,
};

const levelDetails = z.object({
  location: z.looseObject({ id: z.string().nullish() }).nullish(),
  quantities: z.array(z.object({ name: z.string(), quantity: z.number() })),
});

function mapLevels(item: ShopifyNode, levels: readonly ShopifyNode[], since: string | null): MappedRecords {
  const itemId = gidNumber(item.id);
  if (itemId === null) return { records: [], rejected: [rejectedNode('inventory item without an id', item)] };
  const records: ShopRecord[] = [];
  const rejected: RejectedRecord[] = [];
  for (const level of levels) {
    const details = levelDetails.safeParse(level);
    const locationId = gidNumber(details.data?.location?.id);
    if (!details.success || locationId === null) {
      rejected.push(
        rejectedNode('inventory level without a location or quantities', { item: item.id, level }),
      );
      continue;
    }
    const sourceUpdatedAt = later(isoTime(item.updatedAt), isoTime(level.updatedAt));
    if (since !== null && sourceUpdatedAt !== null && Date.parse(sourceUpdatedAt) < Date.parse(since))
      continue;
    const { location, quantities } = details.data;
    records.push({
      externalId: `${itemId}:${locationId}`,
      sourceUpdatedAt,
      payload: {
        inventoryItemId: item.id,
        sku: item['sku'],
        tracked: item['tracked'],
        levelId: level.id,
        location,
        quantities: Object.fromEntries(quantities.map(({ name, quantity }) => [name, quantity])),
        itemUpdatedAt: item.updatedAt,
        levelUpdatedAt: level.updatedAt,
      },
    });
  }
  return { records, rejected };
}

/** Both in the form of `toISOString`, so text order is time order. */
function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
