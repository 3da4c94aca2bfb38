/**
 * The parts of Amazon's answers that we rely on; everything else of a record is kept as it came. Records are read
 * one by one, so that a bad one costs itself and not its page.
 */
import { z } from 'zod';

const pagination = z
  .object({ nextToken: z.string().nullish() })
  .nullish()
  .transform((given) => given?.nextToken || null);

const text = z.string().min(1);

export const ordersAnswer = z.object({ orders: z.array(z.unknown()), pagination });

export const order = z.looseObject({ orderId: text, lastUpdatedTime: z.string().optional() });

export const listingsAnswer = z.object({ items: z.array(z.unknown()), pagination });

export const listing = z.looseObject({
  sku: text,
  summaries: z
    .array(
      z.looseObject({
        marketplaceId: z.string(),
        asin: z.string().optional(),
        lastUpdatedDate: z.string().optional(),
      }),
    )
    .default([]),
});
export type Listing = z.infer<typeof listing>;

export const catalogAnswer = z.object({ items: z.array(z.looseObject({ asin: text })) });

export const inventoryAnswer = z.object({
  payload: z.object({ inventorySummaries: z.array(z.unknown()) }),
  pagination,
});

export const inventorySummary = z.looseObject({ sellerSku: text, lastUpdatedTime: z.string().nullish() });

export const participationsAnswer = z.object({
  payload: z.array(z.object({ marketplace: z.object({ id: z.string() }), storeName: z.string() })),
});
