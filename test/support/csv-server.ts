import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export type Answer =
  string | Buffer | ((request: IncomingMessage, response: ServerResponse) => void | Promise<void>);

export interface CsvServer {
  readonly url: string;
  /** How many requests each path has had. */
  readonly requests: Map<string, number>;
  /** What a path answers from now on; a text or bytes are sent as text/csv with their length. */
  answer(path: string, answer: Answer): void;
}

/** A real HTTP server for exports; closed after the file's last test. Unknown paths answer 404. */
export async function startCsvServer(): Promise<CsvServer> {
  const answers = new Map<string, Answer>();
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const answer = answers.get(path);
    if (answer === undefined) return void response.writeHead(404).end('no such export');
    if (typeof answer === 'function') return void answer(request, response);
    response
      .writeHead(200, { 'content-type': 'text/csv', 'content-length': Buffer.byteLength(answer) })
      .end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: (path, answer) => void answers.set(path, answer),
  };
}
