import { catalogAnswer, type Listing } from './answers.ts';
import type { PageRequest } from './page-request.ts';

const BATCH_ASINS = 20;

/** Without sales ranks, which move every hour and would make every product look changed. */
const INCLUDED = ['summaries', 'identifiers', 'classifications', 'dimensions', 'images'];

export interface CatalogRequest extends Pick<PageRequest, 'call' | 'marketplaceIds' | 'signal'> {
  readonly listings: readonly Listing[];
}

/** The catalog items of listings, by SKU, each from the first of our marketplaces that lists it under an ASIN. */
export async function fetchCatalogItems(
  request: CatalogRequest,
): Promise<Map<string, Readonly<Record<string, unknown>>>> {
  const { call, marketplaceIds, signal, listings } = request;
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (const marketplaceId of marketplaceIds) {
    const here = listings.flatMap((each) => {
      const place = placeOf(each, marketplaceIds);
      return place?.marketplaceId === marketplaceId ? [{ sku: each.sku, asin: place.asin }] : [];
    });
    const asins = [...new Set(here.map(({ asin }) => asin))];
    for (let start = 0; start < asins.length; start += BATCH_ASINS) {
      const { items } = await call(
        {
          operation: 'searchCatalogItems',
          path: '/catalog/2022-04-01/items',
          query: {
            identifiers: asins.slice(start, start + BATCH_ASINS),
            identifiersType: 'ASIN',
            marketplaceIds: [marketplaceId],
            includedData: INCLUDED,
            pageSize: String(BATCH_ASINS),
          },
        },
        catalogAnswer,
        signal,
      );
      for (const item of items) {
        for (const { sku, asin } of here) if (asin === item.asin) found.set(sku, item);
      }
    }
  }
  return found;
}

function placeOf({ summaries }: Listing, marketplaceIds: readonly string[]) {
  for (const marketplaceId of marketplaceIds) {
    const asin = summaries.find((summary) => summary.marketplaceId === marketplaceId && summary.asin)?.asin;
    if (asin !== undefined) return { marketplaceId, asin };
  }
  return undefined;
}
