import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Where an address may lead. `configured`: a person wrote it into a setting, so it may be inside the own network.
 * `public`: another system chose it, as in a redirect, so it may not.
 */
export type AddressPolicy = 'configured' | 'public';

/** A connection that was refused before it was made. The message names no address. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
}

/** Nothing that a sync reads is there: metadata of clouds (with their keys), link-local, no host at all, groups. */
const NEVER = blockList(
  ['169.254.0.0/16', '0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '100.100.100.200/32', '168.63.129.16/32'],
  ['fe80::/10', '::/128', 'ff00::/8', 'fd00:ec2::/32', 'fd20:ce::/32'],
);

/** This machine and the networks behind it. The last three IPv6 ones wrap IPv4 addresses. */
const INSIDE = blockList(
  [
    '127.0.0.0/8',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '192.0.0.0/24',
    '198.18.0.0/15',
  ],
  ['::1/128', 'fc00::/7', 'fec0::/10', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16'],
);

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [family, subnets] of [
    ['ipv4', ipv4],
    ['ipv6', ipv6],
  ] as const) {
    for (const subnet of subnets) {
      const [network = '', bits] = subnet.split('/');
      list.addSubnet(network, Number(bits), family);
    }
  }
  return list;
}

/** @throws ForbiddenAddressError when the policy forbids this IP address */
export function refuseForbidden(address: string, policy: AddressPolicy): void {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (NEVER.check(address, family)) {
    throw new ForbiddenAddressError(
      'leads to a link-local, metadata or group address, where no source can be',
    );
  }
  if (policy === 'public' && INSIDE.check(address, family)) {
    throw new ForbiddenAddressError(
      'leads into the own network, which a redirect may not. If it is meant, set DURASYNC_ALLOW_PRIVATE_REDIRECTS=true',
    );
  }
}

/**
 * A name look-up for connections that refuses a name as soon as one of its addresses is forbidden. The addresses
 * checked are those connected to, so a name that changes its answer gains nothing.
 *
 * @param lookup the system's, unless a test has its own
 */
export function guardedLookup(
  policy: AddressPolicy,
  lookup: typeof systemLookup = systemLookup,
): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '');
      try {
        for (const { address } of addresses) refuseForbidden(address, policy);
      } catch (refused) {
        return callback(refused as Error, '');
      }
      const [first] = addresses;
      if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}
