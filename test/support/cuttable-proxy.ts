import { once } from 'node:events';
import { type AddressInfo, createServer, connect, type Socket } from 'node:net';
import { afterAll } from 'vitest';

export interface CuttableProxy {
  /** host:port */
  readonly address: string;
  /** From now on nothing goes through, and nobody can connect: a network that has failed. */
  cut(): void;
}

/** Passes TCP connections on to `target` (host:port) until it is cut; closed after the file's last test. */
export async function startCuttableProxy(target: string): Promise<CuttableProxy> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(port), host);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  afterAll(cut);
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}
