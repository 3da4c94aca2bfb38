import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { emptyShop, startFakeShopify } from '../../support/fake-shopify.ts';

/**
 * Any number of Shopify shops without records. The first answer to each query is made from the real schema and
 * given to all who ask the same, so that the shops take next to no time of the measurement.
 */
const [accessToken = ''] = process.argv.slice(2);
const shop = await startFakeShopify({ 'one.myshopify.com': emptyShop({ accessToken }) });
const answers = new Map<string, Promise<string>>();

async function ask(path: string, body: string): Promise<string> {
  const answer = await fetch(shop.url + path.replace(/^\/[^/]+/, '/one.myshopify.com'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': accessToken },
    body,
  });
  return answer.text();
}

const server = createServer(async (request, response) => {
  const body = await text(request);
  const { query } = JSON.parse(body) as { query: string };
  const answer = answers.get(query) ?? ask(request.url ?? '', body);
  answers.set(query, answer);
  response.writeHead(200, { 'content-type': 'application/json' }).end(await answer);
});
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => process.exit());
