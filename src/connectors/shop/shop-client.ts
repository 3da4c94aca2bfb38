/** A connection test asks a question that is answered at once, so a shop that hangs is found out soon. */
export const TEST_TIMEOUT_MS = 5_000;

/** The kinds of records that shops give. A platform may not have all of them. */
export type ShopDataType = 'orders' | 'products' | 'customers' | 'inventory';

/** One record of a shop, with everything it says in `payload`. */
export interface ShopRecord {
  /** The shop's own id of it, unique within client, platform and data type. */
  readonly externalId: string;
  /** When the shop last changed it (ISO), or null when it does not say. */
  readonly sourceUpdatedAt: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A record that cannot be kept, such as an order without an id: one bad record costs that record. */
export interface RejectedRecord {
  readonly reason: string;
  readonly raw: string;
}

export interface ShopPage {
  readonly records: readonly ShopRecord[];
  readonly rejected: readonly RejectedRecord[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

/** Reads one shop. Reading has no effect there, so every call is safe to repeat. */
export interface ShopClient {
  readonly platform: 'shopify' | 'amazon';
  readonly dataTypes: readonly ShopDataType[];
  /**
   * Proves that the shop lets us in.
   *
   * @throws SyncFailure SourceUnauthorized and others, as `fetchPage`
   */
  testConnection(signal: AbortSignal): Promise<{ readonly name: string }>;
  /**
   * @param since only records changed at or after this instant (ISO); null for all
   * @param cursor from the page before, or null for the first page
   * @throws SyncFailure with a `Source…` code; throttling gives SourceThrottled with `retryAfterMs`. No message
   * holds a token.
   */
  fetchPage(
    dataType: ShopDataType,
    since: string | null,
    cursor: string | null,
    signal: AbortSignal,
  ): Promise<ShopPage>;
}
