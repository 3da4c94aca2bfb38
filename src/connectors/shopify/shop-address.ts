import { SyncFailure } from '../../domain/failures.ts';

const API_VERSION = '2026-07';

const SHOPIFY_DOMAIN = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/;
const SIMPLE_HOST_NAME = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;
const DOMAIN_LENGTH_MAX = 253;

export interface ShopAddress {
  /** In lower case. */
  readonly shopDomain: string;
  readonly url: URL;
}

/**
 * Where a shop's Admin GraphQL API answers.
 *
 * @param baseUrl SHOPIFY_BASE_URL, which replaces `https://{shop}` with `{base}/{shop}`
 * @throws SyncFailure SourceNotConfigured. The message does not repeat the domain, since people paste tokens
 *   into the wrong field.
 */
export function shopAddress(domain: string, baseUrl: string | undefined): ShopAddress {
  const shopDomain = domain.trim().toLowerCase();
  const wanted = baseUrl === undefined ? SHOPIFY_DOMAIN : SIMPLE_HOST_NAME;
  if (shopDomain.length > DOMAIN_LENGTH_MAX || !wanted.test(shopDomain)) {
    throw new SyncFailure(
      'SourceNotConfigured',
      'shop_domain: not the domain of a Shopify shop. Write it as name.myshopify.com, without https:// or a path.',
    );
  }
  const path = `admin/api/${API_VERSION}/graphql.json`;
  if (baseUrl === undefined) return { shopDomain, url: new URL(`https://${shopDomain}/${path}`) };
  const base = baseUrl.replace(/\/+$/, '');
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) {
    throw new SyncFailure(
      'SourceNotConfigured',
      'SHOPIFY_BASE_URL: not an http or https address. Correct it.',
    );
  }
  return { shopDomain, url: new URL(`${base}/${shopDomain}/${path}`) };
}
