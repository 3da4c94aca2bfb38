import type { Platform } from '../domain/clients.ts';
import { amazonDemo } from '../syncs/commerce/demo-amazon.ts';
import { DEMO_SHOPS } from '../syncs/commerce/demo-shop-catalogue.ts';

/** A client whose shop is on the demo source server. */
export interface DemoClient {
  readonly clientId: string;
  readonly name: string;
  readonly platform: Platform;
  /** What the demo shop accepts; of no use anywhere else. */
  readonly credentials: object;
  readonly frequencyHours: number;
}

/** The three clients of the demo, each with another frequency. */
export const demoClients = (): DemoClient[] => [
  ...DEMO_SHOPS.map(({ domain, name }, index) => ({
    clientId: domain.replace(/\..*$/, ''),
    name,
    platform: 'shopify' as const,
    credentials: { shop_domain: domain, access_token: `demo-${index + 1}` },
    frequencyHours: index === 0 ? 0.25 : 1,
  })),
  {
    clientId: 'market-demo',
    name: 'Durasync demo store on Amazon (demo)',
    platform: 'amazon',
    credentials: amazonDemo.credentials(),
    frequencyHours: 6,
  },
];
