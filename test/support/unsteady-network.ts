import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface UnsteadyNetwork {
  readonly port: number;
  /** Breaks every connection; new ones can be made at once. */
  drop(): void;
  /** Lets nothing through in either direction, as when a cable is cut and nobody has noticed. */
  freeze(): void;
  thaw(): void;
  /** From now on nothing goes through, and nobody can connect. Safe to repeat. */
  close(): void;
}

/** Passes TCP connections on to a port of this machine. */
export async function startUnsteadyNetwork(target: number): Promise<UnsteadyNetwork> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((inner) => {
    const outer = connect(target, '127.0.0.1');
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
      socket.on('data', (chunk) => {
        if (!other.write(chunk)) socket.pause();
      });
      other.on('drain', () => {
        if (!frozen) socket.resume();
      });
      if (frozen) socket.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    drop,
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    close: () => {
      server.close();
      drop();
    },
  };
}
