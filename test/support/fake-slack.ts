import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

/** An answer of Slack: its status, and a text and headers where they matter. */
interface SlackAnswer {
  readonly status: number;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeSlack {
  /** The whole address; its path is the secret. */
  readonly webhook: string;
  readonly secret: string;
  /** The texts it was sent, taken or not. */
  readonly texts: string[];
  /** Answers to the next calls; then it takes everything. */
  readonly answers: SlackAnswer[];
}

/** An incoming webhook as Slack has it; closed after the file's last test. */
export async function startFakeSlack(): Promise<FakeSlack> {
  const secret = 'T0SECRET/B0SECRET/sEcReTsEcReT';
  const texts: string[] = [];
  const answers: SlackAnswer[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (request.url !== `/services/${secret}`) return void response.writeHead(404).end('no_team');
    texts.push((JSON.parse(body) as { text: string }).text);
    const { status, text = 'ok', headers = {} } = answers.shift() ?? { status: 200 };
    response.writeHead(status, headers).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { webhook: `http://127.0.0.1:${port}/services/${secret}`, secret, texts, answers };
}
