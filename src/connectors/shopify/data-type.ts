import { z } from 'zod';
import type { RejectedRecord, ShopRecord } from '../shop/shop-client.ts';

/** An object of an answer. Everything the query asks for is kept; these two are what paging and storing need. */
export const shopifyNode = z.looseObject({
  id: z.string().nullish(),
  updatedAt: z.string().nullish(),
});
export type ShopifyNode = z.infer<typeof shopifyNode>;

export const shopifyConnection = z.object({
  nodes: z.array(shopifyNode),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});
export type ShopifyConnection = z.infer<typeof shopifyConnection>;

export interface MappedRecords {
  readonly records: readonly ShopRecord[];
  readonly rejected: readonly RejectedRecord[];
}

/** A list inside each record, such as the line items of an order. */
export interface NestedConnection {
  /** Its field in the record. */
  readonly field: string;
  /** How many of it a page brings along for each record; the rest takes queries of its own. */
  readonly firstInPage: number;
  /** Variables: id, first, after. Reads one record with one page of this list. */
  readonly recordQuery: string;
  /** The field of that query's data. */
  readonly recordField: string;
  readonly first: number;
}

/**
 * How one kind of records is read. Page sizes keep the requested cost of every query under 700 points even
 * when each object counts in full; Shopify refuses 1,000.
 */
export interface ShopifyDataType {
  /** Variables: first, after, filter, and nestedFirst where there is a nested list. */
  readonly pageQuery: string;
  /** The field of that query's data. */
  readonly pageField: string;
  readonly first: number;
  readonly nested: NestedConnection | null;
  /** The search text that leaves out what did not change since then, or null when Shopify has none for it. */
  filter(since: string | null): string | null;
  /** @param children the whole nested list, empty where there is none */
  map(node: ShopifyNode, children: readonly ShopifyNode[], since: string | null): MappedRecords;
}

/** Whole seconds, rounded down, as in every example of Shopify's search syntax. */
export function updatedSince(since: string | null): string | null {
  if (since === null) return null;
  return `updated_at:>='${new Date(since).toISOString().slice(0, 19)}Z'`;
}

/** The number at the end of an id such as gid://shopify/Order/123, or null when there is none. */
export function gidNumber(gid: string | null | undefined): string | null {
  return /^gid:\/\/shopify\/\w+\/(\d+)(\?|$)/.exec(gid ?? '')?.[1] ?? null;
}

/** A record of its own for every node, with its nested list as an array. */
export function mapNode(
  kind: string,
  node: ShopifyNode,
  nested: Readonly<Record<string, unknown>>,
): MappedRecords {
  const externalId = gidNumber(node.id);
  if (externalId === null) return { records: [], rejected: [rejectedNode(`${kind} without an id`, node)] };
  const payload = { ...node, ...nested };
  return { records: [{ externalId, sourceUpdatedAt: isoTime(node.updatedAt), payload }], rejected: [] };
}

export function rejectedNode(reason: string, node: unknown): RejectedRecord {
  return { reason, raw: JSON.stringify(node) };
}

/** Null for a time that is missing or unreadable. */
export function isoTime(text: string | null | undefined): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
