import { SyncFailure } from '../../domain/failures.ts';
import type { ShopPage } from '../shop/shop-client.ts';
import { type Listing, listing, listingsAnswer } from './answers.ts';
import { fetchCatalogItems } from './catalog-items.ts';
import { type Cursor, firstPage, nextPage, readCursor } from './cursor.ts';
import type { PageRequest } from './page-request.ts';
import { instant, readRecords } from './read-records.ts';

const PAGE_LISTINGS = '20';
/** One search gives no more than this, however many listings it finds. */
const SEARCH_MAX_LISTINGS = 1000;
const INCLUDED = [
  'summaries',
  'attributes',
  'offers',
  'fulfillmentAvailability',
  'relationships',
  'productTypes',
];

/**
 * A page of products: one record for each seller SKU, the listing with its catalog item as `catalogItem` (null when
 * the catalog has none). Oldest change first, so a search that reaches its limit goes on from the last change seen.
 */
export async function fetchProducts({ since, cursor, signal, ...deps }: PageRequest): Promise<ShopPage> {
  const position = cursor === null ? firstPage(null, since) : readCursor(cursor);
  const { items, pagination: token } = await deps.call(
    {
      operation: 'searchListingsItems',
      path: `/listings/2021-08-01/items/${encodeURIComponent(deps.sellerId)}`,
      query: {
        marketplaceIds: deps.marketplaceIds,
        includedData: INCLUDED,
        lastUpdatedAfter: position.from ?? undefined,
        sortBy: 'lastUpdatedDate',
        sortOrder: 'ASC',
        pageSize: PAGE_LISTINGS,
        pageToken: position.token ?? undefined,
      },
    },
    listingsAnswer,
    signal,
  );
  const listings = items.flatMap((item) => listing.safeParse(item).data ?? []);
  const catalog = await fetchCatalogItems({ ...deps, listings, signal });
  const read = readRecords(items, listing, (each) => ({
    externalId: each.sku,
    sourceUpdatedAt: changesOf(each).at(-1) ?? null,
    payload: { ...each, catalogItem: catalog.get(each.sku) ?? null },
  }));
  const records = items.length;
  let next: Cursor | null = null;
  if (position.records + records >= SEARCH_MAX_LISTINGS) {
    next = firstPage(null, nextSearchFrom(position, listings.at(-1)));
  } else if (token !== null) {
    next = nextPage(position, { token, records, now: deps.now(), source: 'Amazon searchListingsItems' });
  }
  return { ...read, nextCursor: next && JSON.stringify(next) };
}

/** When the listing changed, in any marketplace, in the order of time. */
const changesOf = ({ summaries }: Listing): string[] =>
  summaries.flatMap(({ lastUpdatedDate }) => instant(lastUpdatedDate) ?? []).sort();

/** Amazon does not say by which marketplace's change it sorts; the earliest that leads onward skips no listing. */
function nextSearchFrom({ from }: Cursor, last: Listing | undefined): string {
  const begin = instant(from) ?? '';
  const onward = last && changesOf(last).find((change) => change > begin);
  if (onward !== undefined) return onward;
  throw new SyncFailure(
    'SourceRefused',
    `Amazon searchListingsItems: more than ${SEARCH_MAX_LISTINGS} listings changed at the same instant, and it shows no more than that. Change one of them and run the sync again.`,
  );
}
