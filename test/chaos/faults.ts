import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosEngines } from './engines.ts';
import { LIES, type LyingGate } from './lying-gate.ts';
import type { Random } from './random.ts';
import type { KeptWorker } from './worker-process.ts';

interface Targets {
  readonly engines: ChaosEngines;
  readonly workers: readonly KeptWorker[];
  readonly gate: LyingGate;
}

/** One way to do harm. It lasts until the promise resolves. */
interface Fault {
  readonly name: string;
  /** How often it is picked, against the others. */
  readonly weight: number;
  inflict(targets: Targets, random: Random): Promise<unknown>;
}

const SOURCES = ['exports', 'rentals', 'auctions', 'shopify', 'sales'] as const;

const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of a worker',
    weight: 5,
    inflict: async ({ workers }, random) => random.pick(workers).kill(),
  },
  {
    name: 'kill -9 of all workers',
    weight: 2,
    inflict: async ({ workers }) => workers.forEach((worker) => worker.kill()),
  },
  { name: 'kill -9 of PostgreSQL', weight: 2, inflict: ({ engines }) => engines.killPostgres() },
  { name: 'restart of PostgreSQL', weight: 1, inflict: ({ engines }) => engines.restartPostgres() },
  { name: 'kill -9 of Temporal', weight: 2, inflict: ({ engines }) => engines.killTemporal() },
  { name: 'dropped connections', weight: 3, inflict: async ({ engines }) => engines.network.drop() },
  {
    name: 'half-open connections',
    weight: 2,
    inflict: async ({ engines: { network } }, random) => {
      network.freeze();
      await sleep(random.whole(500, 4_000));
      // Half of the times what was frozen is lost, as behind a router that forgot it.
      if (random.next() < 0.5) network.drop();
      network.thaw();
    },
  },
  {
    name: 'full disk',
    weight: 2,
    inflict: async ({ engines: { disk } }, random) => {
      disk?.fill();
      await sleep(random.whole(500, 3_000));
      await disk?.free();
    },
  },
  ...LIES.map((lie) => ({
    name: `source: ${lie}`,
    weight: 2,
    inflict: async ({ gate }: Targets, random: Random) => {
      const told = random.whole(1, 3);
      gate.tell(
        random.pick(SOURCES),
        Array.from({ length: told }, () => lie),
      );
    },
  })),
];

/** The faults of a seed, in their order. */
export function pickFaults(random: Random, count: number, hasDisk: boolean): Fault[] {
  const usable = FAULTS.filter(({ name }) => hasDisk || name !== 'full disk');
  const lots = usable.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
  return Array.from({ length: count }, () => random.pick(lots));
}
