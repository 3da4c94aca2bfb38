import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { choosePort, PortTakenError, withFreePort } from '../../src/free-port.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function takePort(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

test('a neighbour is chosen when the preferred port is taken', async () => {
  const taken = await takePort();
  const chosen = await choosePort({ use: 'a test', preferred: taken, fixedBy: null });
  expect(chosen).not.toBe(taken);
});

test('a port that is spoken for is not chosen', async () => {
  const free = await choosePort({ use: 'a test', preferred: 21_000, fixedBy: null });
  expect(await choosePort({ use: 'a test', preferred: free, fixedBy: null, avoid: free })).not.toBe(free);
});

test('a fixed port that is taken is refused with the port and the variable', async () => {
  const port = await takePort();
  const fixedBy = { variable: 'DURASYNC_PG_PORT', port };
  await expect(choosePort({ use: 'PostgreSQL', preferred: 5433, fixedBy })).rejects.toThrow(
    new RegExp(`Port ${port} for PostgreSQL is taken.*DURASYNC_PG_PORT`),
  );
});

test('a port that was lost between choosing and listening is chosen anew', async () => {
  const tried: number[] = [];
  const wish = { use: 'a test', preferred: 22_000, fixedBy: null };
  const started = await withFreePort(wish, async (port) => {
    tried.push(port);
    if (tried.length === 1) {
      await takePort(port);
      throw new PortTakenError('a test', port, null);
    }
    return port;
  });
  expect(tried).toHaveLength(2);
  expect(started).toBe(tried[1]);
  expect(started).not.toBe(tried[0]);
});

test('a fixed port that was lost is refused with its variable', async () => {
  const port = await choosePort({ use: 'a test', preferred: 23_000, fixedBy: null });
  const fixedBy = { variable: 'DURASYNC_PORT', port };
  const start = () => Promise.reject(new PortTakenError('a test', port, null));
  await expect(withFreePort({ use: 'the API', preferred: 1, fixedBy }, start)).rejects.toThrow(
    'DURASYNC_PORT',
  );
});
