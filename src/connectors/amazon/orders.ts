import type { ShopPage } from '../shop/shop-client.ts';
import { order, ordersAnswer } from './answers.ts';
import { firstPage, nextPage, readCursor } from './cursor.ts';
import type { PageRequest } from './page-request.ts';
import { instant, readRecords } from './read-records.ts';

const PAGE_ORDERS = '100';

/**
 * The API wants a beginning. It shows two years, in Japan, Australia and Singapore everything since 2016, so this is
 * the earliest that can matter anywhere.
 */
const EARLIEST = '2016-01-01T00:00:00Z';

/**
 * All there is. Buyers' and recipients' personal fields come only to an app with the restricted roles for them, and
 * only for some orders; Amazon leaves them out of the others (developer guide "Access Orders PII").
 */
const INCLUDED = [
  'BUYER',
  'RECIPIENT',
  'PROCEEDS',
  'EXPENSE',
  'PROMOTION',
  'CANCELLATION',
  'FULFILLMENT',
  'PACKAGES',
  'TAX',
  'PAYMENT',
  'FULFILLMENT_ORDERS',
];

/** A page of orders of all marketplaces, with their items. */
export async function fetchOrders({ since, cursor, signal, ...deps }: PageRequest): Promise<ShopPage> {
  const position = cursor === null ? firstPage(null, since ?? EARLIEST) : readCursor(cursor);
  const { orders, pagination: token } = await deps.call(
    {
      operation: 'searchOrders',
      path: '/orders/2026-01-01/orders',
      query: {
        lastUpdatedAfter: position.from ?? EARLIEST,
        marketplaceIds: deps.marketplaceIds,
        maxResultsPerPage: PAGE_ORDERS,
        includedData: INCLUDED,
        paginationToken: position.token ?? undefined,
      },
    },
    ordersAnswer,
    signal,
  );
  const read = readRecords(orders, order, (each) => ({
    externalId: each.orderId,
    sourceUpdatedAt: instant(each.lastUpdatedTime),
    payload: each,
  }));
  if (token === null) return { ...read, nextCursor: null };
  const next = nextPage(position, {
    token,
    records: orders.length,
    now: deps.now(),
    source: 'Amazon searchOrders',
  });
  return { ...read, nextCursor: JSON.stringify(next) };
}
