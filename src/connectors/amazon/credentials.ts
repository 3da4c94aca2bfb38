/** What a seller's credential holds; `client_secret` and `refresh_token` are secrets. */
export interface AmazonCredentials {
  readonly seller_id: string;
  readonly marketplace_ids: readonly string[];
  /** Of the app, as the seller authorized it. */
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly region: AmazonRegion;
}

export type AmazonRegion = 'na' | 'eu' | 'fe';

/** Selling Partner API endpoints: North America, Europe, Far East. */
export const SP_API_BASE_URLS: Readonly<Record<AmazonRegion, string>> = {
  na: 'https://sellingpartnerapi-na.amazon.com',
  eu: 'https://sellingpartnerapi-eu.amazon.com',
  fe: 'https://sellingpartnerapi-fe.amazon.com',
};

/** Where every region gets its access tokens (Login with Amazon). */
export const LWA_URL = 'https://api.amazon.com/auth/o2/token';
