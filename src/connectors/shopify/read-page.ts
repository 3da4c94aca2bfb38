import { SyncFailure } from '../../domain/failures.ts';
import type { RejectedRecord, ShopPage, ShopRecord } from '../shop/shop-client.ts';
import { shopifyConnection, shopifyNode } from './data-type.ts';
import type { NestedConnection, ShopifyConnection, ShopifyDataType, ShopifyNode } from './data-type.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { sendQuery } from './send-query.ts';
import type { QuerySender } from './send-query.ts';
import { SHORT_WAIT_MAX_MS } from './throttle.ts';

export interface PageRequest {
  readonly type: ShopifyDataType;
  readonly since: string | null;
  readonly cursor: string | null;
}

/** In the middle of a record a longer wait is better than reading the record again from its start. */
const NESTED_WAIT_MAX_MS = 20_000;

/**
 * Reads the page at the cursor. A record whose nested list goes on after the page is left for a page of its
 * own, so that a throttled or crashed reader never reads more than one such record again.
 *
 * @throws SyncFailure with a `Source…` code, or the signal's reason
 */
export async function readPage(
  sender: QuerySender,
  { type, since, cursor }: PageRequest,
  signal: AbortSignal,
): Promise<ShopPage> {
  const { after, pending } =
    cursor === null ? { after: null, pending: [] } : decodeCursor(sender.source, cursor);
  const [id, ...rest] = pending;
  if (id !== undefined && type.nested !== null) {
    const whole = await readRecord(sender, type.nested, id, signal);
    // Null: it was deleted since its page was read.
    const mapped =
      whole === null ? { records: [], rejected: [] } : type.map(whole.node, whole.children, since);
    return { ...mapped, nextCursor: encodeCursor({ after, pending: rest }) };
  }

  const variables = {
    first: type.first,
    after,
    filter: type.filter(since),
    ...(type.nested === null ? {} : { nestedFirst: type.nested.firstInPage }),
  };
  const query = { query: type.pageQuery, variables, waitMaxMs: SHORT_WAIT_MAX_MS };
  const data = await sendQuery(sender, query, signal);
  const page = readConnection(sender.source, type.pageField, data[type.pageField]);
  const records: ShopRecord[] = [];
  const rejected: RejectedRecord[] = [];
  const unfinished: string[] = [];
  for (const node of page.nodes) {
    const nested =
      type.nested === null ? null : readConnection(sender.source, type.nested.field, node[type.nested.field]);
    if (nested?.pageInfo.hasNextPage && node.id) {
      unfinished.push(node.id);
      continue;
    }
    const mapped = type.map(node, nested?.nodes ?? [], since);
    records.push(...mapped.records);
    rejected.push(...mapped.rejected);
  }
  const next = { after: nextAfter(sender.source, page, after), pending: unfinished };
  return { records, rejected, nextCursor: encodeCursor(next) };
}

/** One record with its whole nested list, or null when the shop has it no more. */
async function readRecord(
  sender: QuerySender,
  nested: NestedConnection,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly node: ShopifyNode; readonly children: readonly ShopifyNode[] } | null> {
  const children: ShopifyNode[] = [];
  let after: string | null = null;
  for (;;) {
    const data = await sendQuery(
      sender,
      {
        query: nested.recordQuery,
        variables: { id, first: nested.first, after },
        waitMaxMs: after === null ? SHORT_WAIT_MAX_MS : NESTED_WAIT_MAX_MS,
      },
      signal,
    );
    const found = data[nested.recordField];
    if (found === null) return null;
    const node = shopifyNode.safeParse(found);
    if (!node.success) throw unexpected(sender.source, nested.recordField);
    const connection = readConnection(sender.source, nested.field, node.data[nested.field]);
    children.push(...connection.nodes);
    after = nextAfter(sender.source, connection, after);
    if (after === null) return { node: node.data, children };
  }
}

function readConnection(source: string, field: string, value: unknown): ShopifyConnection {
  const connection = shopifyConnection.safeParse(value);
  if (!connection.success) throw unexpected(source, field);
  return connection.data;
}

function unexpected(source: string, field: string): SyncFailure {
  return new SyncFailure(
    'SourceRefused',
    `${source}: '${field}' is not in the form that the Admin API promises. Check what answers at this address.`,
  );
}

/** Null after the last page. */
function nextAfter(source: string, { pageInfo }: ShopifyConnection, after: string | null): string | null {
  if (!pageInfo.hasNextPage) return null;
  if (pageInfo.endCursor !== null && pageInfo.endCursor !== after) return pageInfo.endCursor;
  throw new SyncFailure(
    'SourceRefused',
    `${source}: a page does not lead on to the next one, so reading would never end. Try again, then ask Shopify.`,
  );
}
