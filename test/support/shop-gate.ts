import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll } from 'vitest';
import type { ScriptedAnswer } from './fake-shopify.ts';

interface GateRequest {
  /** The name of the query, such as 'Orders'. */
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Which request of that operation to that shop it is, counted from 1. */
  readonly nth: number;
}

type Verdict = ScriptedAnswer | 'hang' | undefined;

/** What a shop answers instead of its own answer; undefined lets the request through, 'hang' never answers. */
export type GateRule = (request: GateRequest) => Verdict | Promise<Verdict>;

export interface ShopGate {
  /** What SHOPIFY_BASE_URL takes. */
  readonly url: string;
  /** By domain; may be changed at any time. */
  readonly rules: Map<string, GateRule>;
  /** Requests of one shop so far. */
  requestsTo(shopDomain: string): GateRequest[];
  /** How many requests to one shop have no answer yet, and are still waited for. */
  openRequestsTo(shopDomain: string): number;
}

/** Stands in front of fake shops over HTTP, so that one of them can misbehave while the others do not. */
export async function startShopGate(shopsUrl: string): Promise<ShopGate> {
  const requests = new Map<string, GateRequest[]>();
  const rules = new Map<string, GateRule>();
  const open = new Map<string, number>();

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const shopDomain = path.split('/')[1] ?? '';
    const count = (change: number): unknown => open.set(shopDomain, (open.get(shopDomain) ?? 0) + change);
    count(1);
    response.once('close', () => count(-1));
    const body = await readText(request);
    const { query, variables = {} } = JSON.parse(body);
    const operation = /query\s+(\w+)/.exec(query)?.[1] ?? '';
    const earlier = requests.get(shopDomain) ?? [];
    const nth = earlier.filter((each) => each.operation === operation).length + 1;
    requests.set(shopDomain, [...earlier, { operation, variables, nth }]);
    const scripted = await rules.get(shopDomain)?.({ operation, variables, nth });
    if (scripted === 'hang') return;
    if (scripted) {
      const text = typeof scripted.body === 'object' ? JSON.stringify(scripted.body) : (scripted.body ?? '');
      response.writeHead(scripted.status ?? 200, { 'content-type': 'application/json', ...scripted.headers });
      response.end(text);
      return;
    }
    const token = String(request.headers['x-shopify-access-token']);
    const answer = await fetch(shopsUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': token },
      body,
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rules,
    requestsTo: (shopDomain) => requests.get(shopDomain) ?? [],
    openRequestsTo: (shopDomain) => open.get(shopDomain) ?? 0,
  };
}
