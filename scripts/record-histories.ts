/**
 * Records the histories that test/replay replays: real runs on engines of their own, one for each way a workflow can
 * go. Run it once for each release, before its first user, and never again for that release:
 *
 *   node --import tsx scripts/record-histories.ts
 *
 * With names behind it, only histories of these workflows are written.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import pg from 'pg';
import { connectDatabase } from '../src/db/connect.ts';
import { defineCommerce } from '../src/syncs/commerce/index.ts';
import { sales } from '../src/syncs/sales/index.ts';
import { registerSearchAttributes } from '../src/temporal/search-attributes.ts';
import { type EngineAnswers, startEngineHost } from '../test/support/engine-host.ts';
import { startFakeShopify } from '../test/support/fake-shopify.ts';
import { faultFleet } from '../test/support/fault-fleet.ts';
import { startWorkerHere } from '../test/support/fault-worker.ts';
import { recordScenarios } from '../test/support/history-scenarios.ts';

const ROOT = new URL('../', import.meta.url);
const HISTORIES = fileURLToPath(new URL('test/replay/histories/', ROOT));
const DATABASE = 'recording';

const only = process.argv.slice(2);
Runtime.install({ logger: new DefaultLogger('ERROR') });
const { version } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as { version: string };
const folder = await mkdtemp(join(tmpdir(), 'durasync-record-'));
const host = await startEngineHost();

async function engine<Path extends keyof EngineAnswers>(path: Path): Promise<EngineAnswers[Path]> {
  const response = await fetch(host.url + path);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as EngineAnswers[Path];
}

const [{ adminUrl, template }, { address }] = await Promise.all([engine('/postgres'), engine('/temporal')]);
const admin = new pg.Client({ connectionString: adminUrl });
await admin.connect();
await admin.query(`CREATE DATABASE ${DATABASE} TEMPLATE ${template}`);
await admin.end();
const databaseUrl = Object.assign(new URL(adminUrl), { pathname: `/${DATABASE}` }).href;
const database = connectDatabase({ databaseUrl, applicationName: 'durasync recording' });

const connection = await Connection.connect({ address });
await registerSearchAttributes(connection, 'default');
const client = new Client({ connection, identity: 'recorder' });
const source = createServer();
source.listen(0, '127.0.0.1');
await once(source, 'listening');
const shopify = await startFakeShopify({});
const env: Record<string, string> = { SHOPIFY_BASE_URL: shopify.url, COMMERCE_LOOKBACK_DAYS: '3650' };
const bundles = join(folder, 'bundles');
const worker = await startWorkerHere(
  { address, namespace: 'default', taskQueue: 'durasync', databaseUrl, env, bundles },
  [faultFleet, defineCommerce(), sales],
);

await mkdir(HISTORIES, { recursive: true });
const sourceUrl = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
for await (const { scenario, handle } of recordScenarios({
  client,
  database,
  databaseUrl,
  source,
  sourceUrl,
  shopify,
  env,
})) {
  if (only.length > 0 && !only.includes(scenario.split('.')[0] ?? '')) continue;
  const file = `${scenario}.${version}.json`;
  await writeFile(join(HISTORIES, file), withoutMachine(historyToJSON(await handle.fetchHistory())));
  console.log(`recorded ${file}`);
}

source.closeAllConnections();
source.close();
await worker.stop();
await shopify.close();
await database.close();
await connection.close();
await host.stop();
await rm(folder, { recursive: true });

/** Leaves out what only says where it was recorded. Replay reads none of it. */
function withoutMachine(history: string): string {
  const named = JSON.parse(history, (key, value: unknown) => {
    if (key === 'identity') return 'recorder';
    if (key === 'stackTrace') return '';
    // The queue that a worker keeps for itself is called after its machine.
    return typeof value === 'string' ? value.replaceAll(hostname(), 'recorder') : value;
  }) as unknown;
  return `${JSON.stringify(named, null, 1)}\n`;
}
