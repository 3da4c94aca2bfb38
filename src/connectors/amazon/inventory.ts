import { SyncFailure } from '../../domain/failures.ts';
import type { ShopPage } from '../shop/shop-client.ts';
import { inventoryAnswer, inventorySummary } from './answers.ts';
import { type Cursor, firstPage, nextPage, readCursor } from './cursor.ts';
import type { PageRequest } from './page-request.ts';
import { instant, readRecords } from './read-records.ts';

/** A page token works for so long; Amazon counts from when it made it. */
const TOKEN_LIFE_MS = 30_000;
const MAX_RESTARTS = 3;

/**
 * A page of the FBA inventory, marketplace by marketplace: one record for each marketplace and seller SKU, always
 * all of them, since Amazon's own filter by time does not see units on their way to its warehouses.
 *
 * A page token that is too old gives an empty page whose cursor begins that marketplace again, and counts how often.
 *
 * @throws SyncFailure SourceUnavailable when a marketplace had to begin again too often
 */
export async function fetchInventory(request: PageRequest): Promise<ShopPage> {
  const { call, cursor, marketplaceIds, now, signal } = request;
  const stored = cursor === null ? null : readCursor(cursor);
  // The credential may have been edited since: then its first marketplace is the place to begin.
  const index = Math.max(0, marketplaceIds.indexOf(stored?.marketplace ?? ''));
  const marketplaceId = marketplaceIds[index] ?? '';
  const position = stored?.marketplace === marketplaceId ? stored : firstPage(marketplaceId, null);
  if (isTooOld(position, now())) return beginAgain(position);

  let answer;
  try {
    answer = await call(
      {
        operation: 'getInventorySummaries',
        path: '/fba/inventory/v1/summaries',
        query: {
          details: 'true',
          granularityType: 'Marketplace',
          granularityId: marketplaceId,
          marketplaceIds: [marketplaceId],
          nextToken: position.token ?? undefined,
        },
      },
      inventoryAnswer,
      signal,
    );
  } catch (error) {
    // How Amazon refuses a token that is too old is not documented, only that it does.
    const refused = error instanceof SyncFailure && error.code === 'SourceRefused';
    if (refused && position.token !== null) return beginAgain(position, error);
    throw error;
  }

  const summaries = answer.payload.inventorySummaries;
  const read = readRecords(summaries, inventorySummary, (each) => ({
    externalId: `${marketplaceId}/${each.sellerSku}`,
    sourceUpdatedAt: instant(each.lastUpdatedTime),
    payload: { ...each, marketplaceId },
  }));
  const token = answer.pagination;
  if (token !== null) {
    const source = `Amazon getInventorySummaries for ${marketplaceId}`;
    const next = nextPage(position, { token, records: summaries.length, now: now(), source });
    return { ...read, nextCursor: JSON.stringify(next) };
  }
  const following = marketplaceIds[index + 1];
  return { ...read, nextCursor: following === undefined ? null : JSON.stringify(firstPage(following, null)) };
}

const isTooOld = ({ tokenAt }: Cursor, now: Date): boolean =>
  tokenAt !== null && now.getTime() - Date.parse(tokenAt) >= TOKEN_LIFE_MS;

function beginAgain({ marketplace, restarts }: Cursor, cause?: SyncFailure): ShopPage {
  if (restarts >= MAX_RESTARTS) {
    throw new SyncFailure(
      'SourceUnavailable',
      `Amazon getInventorySummaries for ${marketplace}: its page tokens work for ${TOKEN_LIFE_MS / 1000} seconds, and ${MAX_RESTARTS + 1} times one was too old or refused before all pages were read. Run the sync again when there is less to do. ${cause?.message ?? ''}`.trimEnd(),
    );
  }
  const again: Cursor = { ...firstPage(marketplace, null), restarts: restarts + 1 };
  return { records: [], rejected: [], nextCursor: JSON.stringify(again) };
}
