import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { writeNight } from './exports.ts';
import { type Measured, seconds } from './measured.ts';
import { loadPlain } from './plain-sql.ts';
import { Times } from './repeat.ts';

const FIRST_LOAD_TARGET = 1.5;
const UNCHANGED_TARGET = 1.3;

/**
 * A night of 18,214 rows with a warm worker and the offline geocoder, against what it can't cost less than: the
 * same workflow with activities that do nothing, plus plain SQL over the same files.
 */
export async function measureNight(bed: Bed, repetitions: number): Promise<Measured[]> {
  const night = join(bed.folder, 'night');
  await writeNight(night, 1, 0);
  await bed.show('night');
  const worker = await bed.startWorker();
  const noop = (): Promise<number> => seconds(() => bed.runNoop());
  const ours = (): Promise<number> => seconds(() => bed.run());
  const plain = (way: 'everything' | 'differences'): Promise<number> =>
    seconds(() => loadPlain(bed.databaseUrl('plain'), night, way));
  const times = new Times<'first' | 'firstFloor' | 'again' | 'againFloor'>();
  try {
    // Round 0 warms everything up.
    for (let round = 0; round <= repetitions; round += 1) {
      await bed.empty('plain');
      await bed.empty('ours');
      const took = {
        firstFloor: (await noop()) + (await plain('everything')),
        first: await ours(),
        againFloor: (await noop()) + (await plain('differences')),
        again: await ours(),
      };
      bed.log(`night, round ${round}: ${JSON.stringify(took)}`);
      if (round > 0) times.add(took);
    }
  } finally {
    await worker.stop();
  }
  return [
    times.compare({
      what: 'night: 18,214 rows, first load',
      measured: 'first',
      baseline: 'firstFloor',
      is: 'the workflow doing nothing + COPY and upsert',
      target: FIRST_LOAD_TARGET,
    }),
    times.compare({
      what: 'night: the same rows again',
      measured: 'again',
      baseline: 'againFloor',
      is: 'the workflow doing nothing + COPY, join, write what differs',
      target: UNCHANGED_TARGET,
    }),
  ];
}
