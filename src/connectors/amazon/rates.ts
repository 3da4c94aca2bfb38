/** How often one seller may call one operation through one app in one region. */
export interface OperationRate {
  readonly perSecond: number;
  /** Calls that may come at once after a quiet time. */
  readonly burst: number;
}

/** Amazon's default usage plans of the operations that we call, from the API models. */
export const AMAZON_RATES = {
  searchOrders: { perSecond: 0.0056, burst: 20 },
  searchListingsItems: { perSecond: 5, burst: 5 },
  searchCatalogItems: { perSecond: 2, burst: 2 },
  getInventorySummaries: { perSecond: 2, burst: 2 },
  getMarketplaceParticipations: { perSecond: 0.016, burst: 15 },
} as const satisfies Record<string, OperationRate>;

export type AmazonOperation = keyof typeof AMAZON_RATES;

/** Calls per second as the header x-amzn-RateLimit-Limit gives them; undefined without a usable one. */
export function rateOf(header: string | undefined): number | undefined {
  const perSecond = Number(header);
  return Number.isFinite(perSecond) && perSecond > 0 ? perSecond : undefined;
}
