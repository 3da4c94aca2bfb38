import { type RawBuilder, sql } from 'kysely';
import type { Platform } from '../../domain/clients.ts';
import type { SkuFacts } from '../../db/sku-cache.ts';

/** What the stored records of a client say about its SKUs. A quantity, price or time that can't be read fails. */
export function skuFacts(platform: Platform, clientId: string): SkuFacts {
  switch (platform) {
    case 'shopify':
      return shopifyFacts(recordsOf(platform, clientId));
    case 'amazon':
      return amazonFacts(recordsOf(platform, clientId));
  }
}

type RecordsOf = (dataType: string) => RawBuilder<unknown>;

const recordsOf =
  (platform: Platform, clientId: string): RecordsOf =>
  (dataType) => sql`
    (SELECT external_id, payload FROM commerce.client_data
     WHERE client_id = ${clientId} AND platform = ${platform} AND data_type = ${dataType}) r`;

/** The objects of a list, none when it is missing or null; anything else fails. */
const each = (list: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`jsonb_array_elements(nullif(${list}, 'null'))`;

const sku = (text: RawBuilder<unknown>): RawBuilder<unknown> => sql`btrim(${text}, E' \t\r\n')`;

/**
 * Units are those that are left after refunds and removals, revenue their share of the discounted price. An order
 * is open until it is cancelled or closed. `Default Title` is what Shopify calls the only variant of a product.
 */
function shopifyFacts(records: RecordsOf): SkuFacts {
  const variants = sql`
    SELECT r.external_id, r.payload->>'title' AS title, r.payload->>'status' AS status,
           r.payload->>'updatedAt' AS updated_at, v.variant, v.position
    FROM ${records('products')}, LATERAL ${each(sql`r.payload->'variants'`)} WITH ORDINALITY v(variant, position)`;
  return {
    lines: sql`
      SELECT ${sku(sql`line->>'sku'`)} AS sku, line->>'title' AS item_name,
             nullif(line->>'variantTitle', 'Default Title') AS variant_title, created_at,
             CASE WHEN open THEN coalesce((line->>'unfulfilledQuantity')::bigint, 0) ELSE 0 END AS open_units,
             coalesce(units, 0) AS units,
             coalesce(round(coalesce(total, price * ordered) * units / nullif(ordered, 0), 2), 0) AS revenue
      FROM (
        SELECT (r.payload->>'createdAt')::timestamptz AS created_at, r.payload->>'closedAt' IS NULL AS open, line,
               (line->>'quantity')::bigint AS ordered,
               coalesce(line->>'currentQuantity', line->>'quantity')::bigint AS units,
               (line #>> '{discountedTotalSet,shopMoney,amount}')::numeric AS total,
               (line #>> '{originalUnitPriceSet,shopMoney,amount}')::numeric AS price
        FROM ${records('orders')}, LATERAL ${each(sql`r.payload->'lineItems'`)} line
        WHERE r.payload->>'cancelledAt' IS NULL
      ) o`,
    listed: sql`
      SELECT ${sku(sql`variant->>'sku'`)} AS sku, title AS item_name,
             nullif(variant->>'title', 'Default Title') AS variant_title, (variant->>'price')::numeric AS unit_price,
             row_number() OVER (ORDER BY status = 'ACTIVE' DESC NULLS LAST, updated_at::timestamptz DESC NULLS LAST,
                                         external_id, position) AS rank
      FROM (${variants}) v`,
    // The variant knows what its inventory item is called today; an item that was not read again may not.
    stocked: sql`
      SELECT coalesce(nullif(v.sku, ''), ${sku(sql`r.payload->>'sku'`)}) AS sku, NULL AS item_name,
             coalesce((r.payload #>> '{quantities,on_hand}')::bigint, 0) AS on_hand,
             coalesce((r.payload #>> '{quantities,incoming}')::bigint, 0) AS incoming
      FROM ${records('inventory')}
      LEFT JOIN (
        SELECT variant #>> '{inventoryItem,id}' AS item_id, max(${sku(sql`variant->>'sku'`)}) AS sku
        FROM (${variants}) v GROUP BY 1
      ) v ON v.item_id = r.payload->>'inventoryItemId'`,
  };
}

/**
 * An order is open until it is shipped, cancelled or can't be fulfilled; the last two are no sales. Revenue is what
 * the seller gets for the item. Stock is Amazon's own: what can be sold and, since open orders are taken off again,
 * what is reserved.
 */
function amazonFacts(records: RecordsOf): SkuFacts {
  return {
    lines: sql`
      SELECT ${sku(sql`line #>> '{product,sellerSku}'`)} AS sku, line #>> '{product,title}' AS item_name,
             NULL AS variant_title, created_at,
             CASE WHEN open THEN coalesce(
               (line #>> '{fulfillment,quantityUnfulfilled}')::bigint,
               ordered - coalesce((line #>> '{fulfillment,quantityFulfilled}')::bigint, 0)) ELSE 0 END AS open_units,
             ordered AS units,
             coalesce((line #>> '{proceeds,proceedsTotal,amount}')::numeric,
                      ordered * (line #>> '{product,price,unitPrice,amount}')::numeric, 0) AS revenue
      FROM (
        SELECT (r.payload->>'createdTime')::timestamptz AS created_at,
               r.payload #>> '{fulfillment,fulfillmentStatus}' IS DISTINCT FROM 'SHIPPED' AS open,
               line, coalesce((line->>'quantityOrdered')::bigint, 0) AS ordered
        FROM ${records('orders')}, LATERAL ${each(sql`r.payload->'orderItems'`)} line
        WHERE coalesce(r.payload #>> '{fulfillment,fulfillmentStatus}', '') NOT IN ('CANCELLED', 'UNFULFILLABLE')
      ) o`,
    listed: sql`
      SELECT ${sku(sql`r.payload->>'sku'`)} AS sku,
             coalesce(jsonb_path_query_first(r.payload, '$.summaries[*].itemName') #>> '{}',
                      jsonb_path_query_first(r.payload, '$.catalogItem.summaries[*].itemName') #>> '{}') AS item_name,
             nullif(concat_ws(' / ', catalog->>'color', catalog->>'size', catalog->>'style'), '') AS variant_title,
             (SELECT (offer #>> '{price,amount}')::numeric
              FROM ${each(sql`r.payload->'offers'`)} WITH ORDINALITY f(offer, position)
              ORDER BY offer->>'offerType' = 'B2C' DESC NULLS LAST, position LIMIT 1) AS unit_price,
             row_number() OVER (ORDER BY external_id) AS rank
      FROM ${records('products')},
           LATERAL (SELECT r.payload #> '{catalogItem,summaries,0}' AS catalog) c`,
    stocked: sql`
      SELECT ${sku(sql`r.payload->>'sellerSku'`)} AS sku, r.payload->>'productName' AS item_name,
             coalesce((details->>'fulfillableQuantity')::bigint, 0)
               + coalesce((details #>> '{reservedQuantity,totalReservedQuantity}')::bigint, 0) AS on_hand,
             coalesce((details->>'inboundWorkingQuantity')::bigint, 0)
               + coalesce((details->>'inboundShippedQuantity')::bigint, 0)
               + coalesce((details->>'inboundReceivingQuantity')::bigint, 0) AS incoming
      FROM ${records('inventory')}, LATERAL (SELECT r.payload->'inventoryDetails' AS details) d`,
  };
}
