import { type RawBuilder, sql } from 'kysely';
import type { Platform } from '../domain/clients.ts';
import type { Db } from './connect.ts';

/** What the records of one client on one platform say, as three queries. Rows with a blank SKU don't count. */
export interface SkuFacts {
  /** Units that were ordered and not cancelled: sku, item_name, variant_title, created_at, open_units, units, revenue. */
  readonly lines: RawBuilder<unknown>;
  /** What is for sale, the likeliest first: sku, item_name, variant_title, unit_price, rank. */
  readonly listed: RawBuilder<unknown>;
  /** What lies somewhere or is on its way there: sku, item_name, on_hand, incoming. */
  readonly stocked: RawBuilder<unknown>;
}

export type ReplacedSkus =
  { readonly outcome: 'replaced'; readonly skus: number } | { readonly outcome: 'older' };

const PLATFORMS: readonly Platform[] = ['shopify', 'amazon'];
const PAGE_CLIENTS = 200;
/** Stock that lasts longer, or sells not at all, counts as this many days. */
const DAYS_MAX = 999;

/** The ids of active clients, 200 at a time, in their order. */
export async function listActiveClientIds(db: Db, after: string | null): Promise<string[]> {
  const { rows } = await sql<{ client_id: string }>`
    SELECT client_id FROM commerce.clients WHERE active AND client_id > ${after ?? ''}
    ORDER BY client_id LIMIT ${PAGE_CLIENTS}`.execute(db);
  return rows.map((row) => row.client_id);
}

/** Whether there may be more clients behind a page. */
export const isFullPage = (ids: readonly string[]): boolean => ids.length === PAGE_CLIENTS;

/**
 * Replaces all SKUs of a client in one transaction, so that a reader sees the old set or the new one. An analysis
 * for an earlier instant than the last one changes nothing. Safe to repeat.
 */
export async function replaceSkus(
  db: Db,
  { clientId, at }: { readonly clientId: string; readonly at: string },
  factsOf: (platform: Platform, clientId: string) => SkuFacts,
): Promise<ReplacedSkus> {
  return db.transaction().execute(async (tx): Promise<ReplacedSkus> => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`commerce.sku_cache ${clientId}`}, 0))`.execute(
      tx,
    );
    const { rows } = await sql<{ older: boolean | null }>`
      SELECT max(computed_at) > ${at}::timestamptz AS older
      FROM commerce.sku_cache WHERE client_id = ${clientId}`.execute(tx);
    if (rows[0]?.older) return { outcome: 'older' };
    await sql`DELETE FROM commerce.sku_cache WHERE client_id = ${clientId}`.execute(tx);
    let skus = 0;
    for (const platform of PLATFORMS) {
      const written = await insertSkus(clientId, platform, at, factsOf(platform, clientId)).execute(tx);
      skus += Number(written.numAffectedRows ?? 0);
    }
    return { outcome: 'replaced', skus };
  });
}

/**
 * A row for every SKU that a listing, a stock record or an order that was not cancelled names. `total_value` is
 * what lies in stock at the listed price. `days_stock_remaining` is whole days at the pace of the last 30 days.
 */
function insertSkus(clientId: string, platform: Platform, at: string, facts: SkuFacts): RawBuilder<unknown> {
  // The instant may have been cut to a whole second, and an order of that second has been placed by then.
  const soldWithin = (days: number): RawBuilder<unknown> => sql`FILTER (
    WHERE created_at > ${at}::timestamptz - make_interval(hours => ${days * 24})
      AND created_at < ${at}::timestamptz + interval '1 second')`;
  return sql`
    WITH lines AS (${facts.lines}),
    sold AS (
      SELECT sku,
             (array_agg(item_name ORDER BY created_at DESC NULLS LAST, item_name))[1] AS item_name,
             (array_agg(variant_title ORDER BY created_at DESC NULLS LAST, item_name, variant_title))[1] AS variant_title,
             sum(open_units) AS outgoing,
             coalesce(sum(units) ${soldWithin(7)}, 0) AS units_7d,
             coalesce(sum(units) ${soldWithin(30)}, 0) AS units_30d,
             coalesce(sum(units) ${soldWithin(90)}, 0) AS units_90d,
             coalesce(sum(revenue) ${soldWithin(30)}, 0) AS revenue_30d
      FROM lines WHERE sku <> '' GROUP BY sku
    ), listed AS (
      SELECT DISTINCT ON (sku) sku, item_name, variant_title, unit_price
      FROM (${facts.listed}) l WHERE sku <> '' ORDER BY sku, unit_price IS NULL, rank
    ), stocked AS (
      SELECT sku, max(item_name) AS item_name, sum(on_hand) AS on_hand, sum(incoming) AS incoming
      FROM (${facts.stocked}) s WHERE sku <> '' GROUP BY sku
    ), joined AS (
      SELECT sku,
             coalesce(l.item_name, s.item_name, o.item_name) AS item_name,
             CASE WHEN l.sku IS NULL THEN o.variant_title ELSE l.variant_title END AS variant_title,
             l.unit_price,
             coalesce(s.on_hand, 0) AS on_hand, coalesce(s.incoming, 0) AS incoming,
             coalesce(o.outgoing, 0) AS outgoing,
             greatest(0, coalesce(s.on_hand, 0) + coalesce(s.incoming, 0) - coalesce(o.outgoing, 0)) AS available,
             coalesce(o.units_7d, 0) AS units_7d, coalesce(o.units_30d, 0) AS units_30d,
             coalesce(o.units_90d, 0) AS units_90d, coalesce(o.revenue_30d, 0) AS revenue_30d
      FROM listed l FULL JOIN stocked s USING (sku) FULL JOIN sold o USING (sku)
    )
    INSERT INTO commerce.sku_cache
      (client_id, platform, sku_code, item_name, variant_title, on_hand_inventory, incoming_inventory,
       outgoing_inventory, current_availability, unit_price, total_value, units_7d, units_30d, units_90d,
       revenue_30d, avg_daily_sales, days_stock_remaining, computed_at)
    SELECT ${clientId}, ${platform}, sku, item_name, variant_title, on_hand, incoming, outgoing, available,
           unit_price, greatest(0, on_hand) * unit_price, units_7d, units_30d, units_90d, revenue_30d,
           units_30d / 30.0,
           CASE WHEN units_30d > 0 THEN least(${DAYS_MAX}::bigint, floor(available * 30 / units_30d)) ELSE ${DAYS_MAX} END,
           ${at}::timestamptz
    FROM joined`;
}
