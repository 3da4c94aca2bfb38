/** What the workflow that analyses SKUs and its activity say to each other. */

/** A page of active clients. */
export interface SkuPageInput {
  /** The last client of the page before; null for the first page. */
  readonly after: string | null;
  /** The instant (ISO) that sales are counted back from. */
  readonly at: string;
}

/** A client whose SKUs could not be computed; they stay as they were. */
export interface SkuFailure {
  readonly clientId: string;
  readonly message: string;
}

interface SkuCounts {
  /** Clients whose SKUs were replaced. */
  readonly analysed: number;
  readonly skus: number;
  /** Clients that were left alone, because a later instant had been analysed before. */
  readonly older: number;
  readonly failed: number;
}

export interface SkuPage extends SkuCounts {
  /** Where the next page begins; null behind the last one. */
  readonly next: string | null;
  readonly failures: readonly SkuFailure[];
}

/** How an analysis ended. */
export interface SkuAnalysis extends SkuCounts {
  /** The first of the failures. */
  readonly failures: readonly SkuFailure[];
}

export interface SkuActivities {
  /** Replaces the SKUs of a page of clients. Safe to repeat. */
  analyseSkus(input: SkuPageInput): Promise<SkuPage>;
}
