import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { writeNight } from './exports.ts';
import { type Measured, seconds } from './measured.ts';
import { loadPlain } from './plain-sql.ts';
import { peakMemoryMb } from './processes.ts';
import { Times } from './repeat.ts';

const FIRST_LOAD_TARGET = 1.5;
const CHANGED_TARGET = 2;
const MEMORY_TARGET_MB = 400;
const ROWS_AT_SCALE_1 = 18_214;

/**
 * Whole runs over large exports, and over the next night's with 1 % of the rows changed, against plain SQL
 * through one connection; and the memory of the worker process that made all of them.
 */
export async function measureBig(bed: Bed, repetitions: number, scale: number): Promise<Measured[]> {
  const [warm, first, next] = ['warm', 'big-0', 'big-1'].map((name) => join(bed.folder, name)) as [
    string,
    string,
    string,
  ];
  bed.log('big: making the exports');
  await writeNight(warm, 1, 0);
  await writeNight(first, scale, 0);
  await writeNight(next, scale, 1);
  const worker = await bed.startWorker();
  const times = new Times<'first' | 'plainFirst' | 'changed' | 'plainChanged'>();
  const settled = async (work: () => Promise<unknown>): Promise<number> => {
    await bed.settle();
    return seconds(work);
  };
  let peakMb: number | null;
  try {
    await bed.show('warm');
    await bed.run();
    for (let round = 1; round <= repetitions; round += 1) {
      await bed.empty('plain');
      await bed.empty('ours');
      const plain = bed.databaseUrl('plain');
      await bed.show('big-0');
      const plainFirst = await settled(() => loadPlain(plain, first, 'everything'));
      const oursFirst = await settled(() => bed.run());
      await bed.show('big-1');
      const plainChanged = await settled(() => loadPlain(plain, next, 'differences'));
      const changed = await settled(() => bed.run());
      const took = { first: oursFirst, plainFirst, changed, plainChanged };
      bed.log(`big, round ${round}: ${JSON.stringify(took)}`);
      times.add(took);
    }
    peakMb = await peakMemoryMb(worker.pid);
  } finally {
    await worker.stop();
  }
  const rows = (ROWS_AT_SCALE_1 * scale).toLocaleString('en');
  const memory: Measured[] =
    peakMb === null
      ? []
      : [
          {
            what: 'big: peak memory of the worker process',
            unit: 'MB',
            measured: peakMb,
            baseline: null,
            target: MEMORY_TARGET_MB,
            noise: null,
          },
        ];
  return [
    times.compare({
      what: `big: ${rows} rows, first load`,
      measured: 'first',
      baseline: 'plainFirst',
      is: 'COPY and upsert, one connection',
      target: FIRST_LOAD_TARGET,
    }),
    times.compare({
      what: 'big: a night with 1 % changed',
      measured: 'changed',
      baseline: 'plainChanged',
      is: 'COPY, join, write what differs, one connection',
      target: CHANGED_TARGET,
    }),
    ...memory,
  ];
}
