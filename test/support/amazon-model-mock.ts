import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import type { AmazonOperation } from '../../src/connectors/amazon/rates.ts';
import { AMAZON_OPERATIONS, amazonModel, sandboxAnswers } from './amazon-models.ts';

export interface AmazonModelMock {
  readonly url: string;
  /** What was wrong with requests, as sentences. */
  readonly refused: string[];
  /** How often each operation was called. */
  readonly calls: Map<AmazonOperation, number>;
}

/**
 * A Selling Partner API that is made of nothing but Amazon's models: it refuses what they don't allow and answers with
 * the sandbox's cases as pages, or with a sample where the sandbox has none. Stopped after the file's last test.
 */
export async function startAmazonModelMock(): Promise<AmazonModelMock> {
  const refused: string[] = [];
  const calls = new Map<AmazonOperation, number>();
  const cases = sandboxAnswers();
  const models = AMAZON_OPERATIONS.map((operation) => {
    const model = amazonModel(operation);
    const sandbox = cases.filter(({ op }) => op === operation).map(({ response }) => response);
    const pages = sandbox.length > 0 ? sandbox : [model.sampleAnswer(operation) as Record<string, unknown>];
    return { operation, model, path: model.pathOf(operation), pages };
  });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://mock');
    if (pathname === '/auth/o2/token') {
      request.resume();
      return answer(response, 200, { access_token: 'Atza|mock', token_type: 'bearer', expires_in: 3_600 });
    }
    const found = models.find(({ path }) => path.test(pathname));
    if (!found) return answer(response, 404, errors('NotFound', `${pathname} is in no model`));
    const { operation, model, pages } = found;
    const query = Object.fromEntries(searchParams);
    const wrong = model.wrongWithRequest(operation, pathname, query);
    if (request.headers['x-amz-access-token'] !== 'Atza|mock') wrong.push('no access token');
    if (wrong.length > 0) {
      refused.push(...wrong.map((each) => `${operation}: ${each}`));
      return answer(response, 400, errors('InvalidInput', wrong.join('; ')));
    }
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    const token = Object.entries(query).find(([name]) => /^(page|pagination|next)Token$/.test(name))?.[1];
    const page = token === undefined ? 0 : Number(token.replace('page-', ''));
    const pagination = page + 1 < pages.length ? { nextToken: `page-${page + 1}` } : undefined;
    answer(response, 200, { ...pages[page], pagination });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refused, calls };
}

const errors = (code: string, message: string) => ({ errors: [{ code, message }] });

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
