import { appendFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { testEngine } from '../support/engines.ts';
import { startFakeAuctions } from '../support/fake-auctions.ts';
import { startFakeRentals } from '../support/fake-rentals.ts';
import { startFakeSales } from '../support/fake-sales.ts';
import { startFakeShopify } from '../support/fake-shopify.ts';
import { runCampaign } from './campaign.ts';
import { startChaosEngines } from './engines.ts';

/** The short form, as in `npm test`; `npm run chaos` sets all three. */
const { CHAOS_SEED: seed = '1', CHAOS_FAULTS: faults = '8', CHAOS_LOG: logFile } = process.env;
const FAULT_MS = 60_000;

const { cliPath } = await testEngine('/temporal');
const engines = await startChaosEngines(cliPath);
afterAll(() => engines.stop());
const [exports, rentals, auctions, shopify, sales] = await Promise.all([
  startCsvServer(),
  startFakeRentals(),
  startFakeAuctions(),
  startFakeShopify({}),
  startFakeSales(),
]);
afterAll(() => shopify.close());

test(
  `after ${faults} faults of seed ${seed} nothing is lost, doubled or half-written`,
  async () => {
    const report = await runCampaign({
      seed: Number(seed),
      faults: Number(faults),
      engines,
      sources: { exports, rentals, auctions, shopify, sales },
      bundles: SHARED_BUILDS,
      log: (line) => {
        if (logFile !== undefined) appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
      },
    });
    if (logFile !== undefined) appendFileSync(logFile, `${JSON.stringify(report, null, 2)}\n`);
    expect(report.broken).toEqual([]);
    expect(report.differences).toEqual([]);
    expect(Object.values(report.faults).reduce((sum, each) => sum + each)).toBe(Number(faults));
  },
  300_000 + Number(faults) * FAULT_MS,
);
