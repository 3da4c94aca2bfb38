import type { AmazonCall } from './create-caller.ts';

/** What reading a page of any data type needs. */
export interface PageRequest {
  readonly call: AmazonCall;
  readonly sellerId: string;
  /** At least one. */
  readonly marketplaceIds: readonly string[];
  readonly now: () => Date;
  readonly since: string | null;
  readonly cursor: string | null;
  readonly signal: AbortSignal;
}
