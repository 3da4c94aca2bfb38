import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ShopClient, ShopDataType } from '../../connectors/shop/shop-client.ts';
import type { SourcePage, SourceRow } from '../../domain/source.ts';
import type { TableDefinition } from '../define-sync.ts';
import { refusedByJsonb, stableJson } from '../stable-json.ts';
import type { OpenShop } from './open-shop.ts';
import { waitBriefly } from './wait-briefly.ts';

/** What is asked for again before the last run, for records that the shop indexed late. */
const OVERLAP_MS = 5 * 60_000;

const record = z.object({
  client_id: z.string(),
  platform: z.string(),
  data_type: z.string(),
  external_id: z.string(),
  payload: z.record(z.string(), z.unknown()),
  source_updated_at: z.iso.datetime({ offset: true }).nullable(),
  content_hash: z.string(),
});

/**
 * One kind of record of one connection, kept in `client_data`. Reads only what changed since the last run, less
 * five minutes; the first run goes back `lookbackDays`.
 */
export function shopTable(dataType: ShopDataType, openShop: OpenShop): TableDefinition {
  return {
    name: dataType,
    live: 'client_data',
    key: ['client_id', 'platform', 'data_type', 'external_id'],
    row: record,
    compared: ['content_hash'],
    version: 'source_updated_at',
    incremental: 'whole',
    archives: false,
    source: {
      setting: 'connection',
      async open(resources) {
        const { clientId, shop, lookbackMs } = await openShop(resources);
        return {
          setting: `${shop.platform} connection`,
          async *fetchPages({ since, full, signal }, cursor) {
            const start = cursor === null ? null : readCursor(cursor);
            const from = start ? start.from : startOf(since, full, lookbackMs);
            let at = start;
            do {
              const shopCursor = at?.shopCursor ?? null;
              const page = await waitBriefly(
                () => shop.fetchPage(dataType, from, shopCursor, signal),
                signal,
              );
              const position = at?.position ?? 0;
              const rows = [
                ...page.records.map((found, index) =>
                  rowOf(clientId, shop, dataType, found, position + index + 1),
                ),
                ...page.rejected.map(({ reason, raw }, index) => ({
                  position: position + page.records.length + index + 1,
                  values: {},
                  raw,
                  unreadable: reason,
                })),
              ];
              at =
                page.nextCursor === null
                  ? null
                  : { from, shopCursor: page.nextCursor, position: position + rows.length };
              yield { rows, nextCursor: at && JSON.stringify(at) } satisfies SourcePage;
            } while (at);
          },
        };
      },
    },
  };
}

const cursorSchema = z.object({ from: z.string().nullable(), shopCursor: z.string(), position: z.number() });

/** Where an earlier attempt stopped: the shop's cursor is only good with the filter it was given for. */
const readCursor = (text: string): z.infer<typeof cursorSchema> => cursorSchema.parse(JSON.parse(text));

function startOf(since: string | null, full: boolean, lookbackMs: number): string {
  const ms = since === null || full ? Date.now() - lookbackMs : Date.parse(since) - OVERLAP_MS;
  return new Date(ms).toISOString();
}

function rowOf(
  clientId: string,
  { platform }: ShopClient,
  dataType: ShopDataType,
  {
    externalId,
    sourceUpdatedAt,
    payload,
  }: { externalId: string; sourceUpdatedAt: string | null; payload: object },
  position: number,
): SourceRow {
  const text = stableJson(payload);
  if (refusedByJsonb(text)) {
    const unreadable = 'a text in it has a NUL or half a character, which PostgreSQL can not store';
    return { position, values: {}, raw: text, unreadable };
  }
  return {
    position,
    raw: text,
    values: {
      client_id: clientId,
      platform,
      data_type: dataType,
      external_id: externalId,
      payload,
      source_updated_at: sourceUpdatedAt,
      content_hash: createHash('sha256').update(text).digest('base64url'),
    },
  };
}
