import type { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { type AddressPolicy, guardedLookup, refuseForbidden } from './address-guard.ts';

export interface AgentOptions {
  readonly connectTimeoutMs?: number;
  /** Whether a redirect may lead into the own network. */
  readonly privateRedirects?: 'allowed' | 'refused';
  /** In place of the system's, for tests. */
  readonly lookup?: typeof systemLookup;
}

/** The connection pools that sources are read through, guarded by where they lead. */
export interface SourceAgent extends Agent {
  /** For addresses that another system names, and no setting. */
  readonly redirects: Dispatcher;
}

/** Close it with the process that made it; idle connections of `redirects` keep no process alive. */
export function createAgent(options: AgentOptions = {}): SourceAgent {
  const redirects = guardedAgent(options.privateRedirects === 'allowed' ? 'configured' : 'public', options);
  return Object.assign(guardedAgent('configured', options), { redirects });
}

function guardedAgent(policy: AddressPolicy, { connectTimeoutMs = 10_000, lookup }: AgentOptions): Agent {
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup: guardedLookup(policy, lookup) });
  return new Agent({ connect: guardedConnector(policy, connect) });
}

/** An address that is no name is never looked up, so it is checked here. */
function guardedConnector(
  policy: AddressPolicy,
  connect: buildConnector.connector,
): buildConnector.connector {
  return (options, callback) => {
    const address = options.hostname.replace(/^\[|\]$/g, '');
    try {
      if (isIP(address) !== 0) refuseForbidden(address, policy);
    } catch (refused) {
      return callback(refused as Error, null);
    }
    connect(options, callback);
  };
}
