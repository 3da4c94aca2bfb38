import { createServer } from 'node:net';

export interface PortWish {
  /** What the port is for, as people call it: 'PostgreSQL'. */
  readonly use: string;
  readonly preferred: number;
  /** The variable that fixes the port and its value; null when any port will do. */
  readonly fixedBy: { readonly variable: string; readonly port: number } | null;
  /** The address to listen on, 127.0.0.1 by default. */
  readonly host?: string;
  /** A port that is spoken for although nothing listens on it yet. */
  readonly avoid?: number;
}

/** Something else listens on the port. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(use: string, port: number, variable: string | null) {
    super(
      `Port ${port} for ${use} is taken by another process. ` +
        (variable
          ? `Set ${variable} to a free port, or unset it to have one chosen, or stop that process.`
          : 'Stop that process or start again.'),
    );
    this.port = port;
  }
}

const NEIGHBOURS = 20;

/**
 * The fixed port; else the preferred one, a near neighbour or any free one. Somebody else may still take it
 * before it is used: see `withFreePort`.
 *
 * @throws PortTakenError when a variable fixes a port that is taken
 */
export async function choosePort({
  use,
  preferred,
  fixedBy,
  host = '127.0.0.1',
  avoid,
}: PortWish): Promise<number> {
  const isFree = async (port: number): Promise<boolean> =>
    port !== avoid && (await listenOnce(port, host)) !== null;
  if (fixedBy) {
    if (await isFree(fixedBy.port)) return fixedBy.port;
    throw new PortTakenError(use, fixedBy.port, fixedBy.variable);
  }
  for (let port = preferred; port <= preferred + NEIGHBOURS; port += 1) {
    if (await isFree(port)) return port;
  }
  return (await listenOnce(0, host)) ?? preferred;
}

/**
 * Starts something on a chosen port, and again on another one when it lost the port in between.
 *
 * @param start must throw PortTakenError when it could not listen
 * @throws PortTakenError when the port is fixed or was lost five times, and whatever `start` throws
 */
export async function withFreePort<T>(wish: PortWish, start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(wish);
    try {
      return await start(port);
    } catch (error) {
      if (!(error instanceof PortTakenError) || error.port !== port) throw error;
      if (wish.fixedBy) throw new PortTakenError(wish.use, port, wish.fixedBy.variable);
      if (attempt === 5) throw error;
    }
  }
}

/** Listens for a moment; null when the port is taken. */
function listenOnce(port: number, host: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
