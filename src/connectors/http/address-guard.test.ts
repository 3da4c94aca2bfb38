import type { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from 'undici';
import { ForbiddenAddressError, refuseForbidden } from './address-guard.ts';
import { createAgent } from './create-agent.ts';

const METADATA = [
  '169.254.169.254',
  '169.254.1.1',
  '0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
  '100.100.100.200',
  '168.63.129.16',
  'fe80::1',
  '::',
  'ff02::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
];
const INSIDE = [
  '127.0.0.1',
  '127.9.9.9',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '::1',
  'fd12:3456::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::a00:1',
  '2002:a00:1::',
];
const OUTSIDE = ['1.1.1.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:1.1.1.1'];

describe('an address', () => {
  test.each(METADATA)('%s is refused for everybody', (address) => {
    expect(() => refuseForbidden(address, 'configured')).toThrow(ForbiddenAddressError);
  });

  test.each(INSIDE)('%s is for what a person configured alone', (address) => {
    refuseForbidden(address, 'configured');
    expect(() => refuseForbidden(address, 'public')).toThrow(/own network/);
  });

  test.each(OUTSIDE)('%s is for everybody', (address) => {
    refuseForbidden(address, 'configured');
    refuseForbidden(address, 'public');
  });
});

describe('a connection', () => {
  let server: Server;
  let port = 0;
  let asked = 0;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      asked += 1;
      response.end('inside');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Answers each look-up with the next list of addresses, as a name server that cheats does. */
  function answering(...answers: string[][]): typeof lookup {
    return ((_name: string, _options: object, callback: (error: null, found: object[]) => void) => {
      const found = answers.shift() ?? [];
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as unknown as typeof lookup;
  }

  async function ask(names: typeof lookup, policy: 'configured' | 'redirect'): Promise<string> {
    const agent = createAgent({ lookup: names, connectTimeoutMs: 500 });
    try {
      const dispatcher = policy === 'redirect' ? agent.redirects : agent;
      const { body } = await request(`http://exports.example.com:${port}/`, { dispatcher });
      return await body.text();
    } finally {
      await Promise.all([agent.destroy(), agent.redirects.destroy()]);
    }
  }

  test('to a configured name may lead into the own network', async () => {
    expect(await ask(answering(['127.0.0.1']), 'configured')).toBe('inside');
  });

  test('to a configured name may not lead to the metadata of a cloud', async () => {
    await expect(ask(answering(['169.254.169.254']), 'configured')).rejects.toThrow(/metadata/);
  });

  test('of a redirect is made to the very address that was checked, whatever the name says a moment later', async () => {
    asked = 0;
    await expect(ask(answering(['127.0.0.1'], ['1.1.1.1']), 'redirect')).rejects.toThrow(/own network/);
    await expect(ask(answering(['1.1.1.1', '127.0.0.1']), 'redirect')).rejects.toThrow(/own network/);
    // Were the name looked up again for the connection, the second answer would lead to the server here.
    await ask(answering(['192.0.2.1'], ['127.0.0.1']), 'redirect').catch(() => undefined);
    expect(asked).toBe(0);
  });
});
