import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { addClient, addCredential, makeDue } from '../../src/db/clients.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import { startSweep } from '../../src/temporal/runs.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { converterOf, type WorkerTarget } from '../support/fault-worker.ts';
import { findBroken, findDifferences } from './check.ts';
import { keepRunning, runOnce, untilDone } from './drivers.ts';
import type { ChaosEngines } from './engines.ts';
import { pickFaults } from './faults.ts';
import { startLyingGate } from './lying-gate.ts';
import { createRandom } from './random.ts';
import { keepWorker } from './worker-process.ts';
import { CLIENTS, createWorld, domainOf, type Sources, SYNCS, variablesOf } from './world.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly faults: number;
  readonly engines: ChaosEngines;
  readonly sources: Sources;
  readonly bundles: string;
  readonly log: (line: string) => void;
}

export interface CampaignReport {
  /** How often each fault was inflicted. */
  readonly faults: Readonly<Record<string, number>>;
  /** How many runs of each status there were. */
  readonly runs: Readonly<Record<string, number>>;
  /** Workers that ended although nobody killed them. */
  readonly deaths: number;
  /** What must never be, found when the last run had ended, and again after one calm round of every sync. */
  readonly broken: readonly string[];
  /** What the tables and the sources disagree on after the calm round. */
  readonly differences: readonly string[];
  readonly seconds: number;
}

const WORKERS = 2;
const CLEAN_MS = 60_000;

/** Runs every sync without a pause while faults are inflicted, then lets all end, and looks at what is there. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { seed, engines, sources, bundles, log } = options;
  const startedAt = performance.now();
  const random = createRandom(seed);
  const faults = pickFaults(random, options.faults, engines.disk !== null);
  const gate = await startLyingGate({
    exports: sources.exports.url,
    rentals: sources.rentals.url,
    auctions: sources.auctions.url,
    shopify: sources.shopify.url,
    sales: new URL(sources.sales.url).origin,
  });
  const world = createWorld(createRandom(seed + 1), sources);
  const sealing = { keys: `k1:${randomBytes(32).toString('base64')}`, mode: 'sealed' } as const;
  const target: WorkerTarget = {
    address: engines.temporalAddress,
    namespace: 'default',
    taskQueue: 'durasync',
    databaseUrl: engines.databaseUrl,
    env: variablesOf(gate.urlOf),
    bundles,
    sealing,
  };
  await addClients(options, sealing.keys);
  await ensureWorkflowBundle(bundles, sealing.mode);
  const connection = await Connection.connect({ address: engines.temporalAddress });
  const client = new Client({ connection, dataConverter: converterOf(sealing) });
  const workers = Array.from({ length: WORKERS }, () => keepWorker(target));
  const stop = new AbortController();
  try {
    // The first round is calm, so that there is something to lose.
    await Promise.all(SYNCS.map((sync) => runOnce(client, sync)));
    log('the first round is over');
    const driving = Promise.all(SYNCS.map((sync) => keepRunning(client, sync, world, stop.signal)));
    driving.catch(() => undefined);
    for (const [index, fault] of faults.entries()) {
      await sleep(random.whole(300, 2_500));
      log(`${index + 1}/${faults.length} ${fault.name}`);
      await fault.inflict({ engines, workers, gate }, random);
    }
    stop.abort();
    gate.beHonest();
    await driving;
    log('every run has ended');
    await untilDone(() => startSweep(client));
    const broken = await settle(() => findBroken(engines.database.pool));
    await Promise.all(SYNCS.map((sync) => runOnce(client, sync)));
    const brokenAfter = await settle(() => findBroken(engines.database.pool));
    const { rows } = await engines.database.pool.query<{ status: string; runs: number }>(
      'SELECT status, count(*)::int AS runs FROM durasync.sync_runs GROUP BY status ORDER BY status',
    );
    return {
      faults: count(faults.map(({ name }) => name)),
      runs: Object.fromEntries(rows.map(({ status, runs }) => [status, runs])),
      deaths: workers.reduce((sum, worker) => sum + worker.deaths(), 0),
      broken: [...new Set([...broken, ...brokenAfter])],
      differences: await findDifferences(engines.database.pool, world.expected()),
      seconds: Math.round((performance.now() - startedAt) / 1000),
    };
  } finally {
    stop.abort();
    await Promise.all(workers.map((worker) => worker.stop()));
    await connection.close();
    gate.close();
  }
}

async function addClients({ engines, sources }: CampaignOptions, keys: string): Promise<void> {
  const { db } = engines.database;
  for (const clientId of CLIENTS) {
    await addClient(db, clientId, clientId);
    const secrets = {
      shop_domain: domainOf(clientId),
      access_token: sources.shopify.shops.get(domainOf(clientId))?.accessToken,
    };
    const credentials = JSON.stringify(secrets);
    const added = {
      clientId,
      platform: 'shopify',
      connectionName: 'main',
      credentials,
      frequencyHours: 24,
    } as const;
    await makeDue(db, await addCredential(db, createKeyRing(keys), added));
  }
}

/** Looks again while what is found may still go away by itself, as staging that the sweep has not reached. */
async function settle(look: () => Promise<string[]>): Promise<string[]> {
  for (const giveUpAt = Date.now() + CLEAN_MS; ; await sleep(500)) {
    const found = await look();
    if (found.length === 0 || Date.now() > giveUpAt) return found;
  }
}

function count(names: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const name of [...names].sort()) counted[name] = (counted[name] ?? 0) + 1;
  return counted;
}
