import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { writeNight } from './exports.ts';
import { type Measured, seconds } from './measured.ts';

const TARGET = 1.2;
const PER_SECOND = 50;

/**
 * A run over the partners alone, with a geocoder that takes 100 ms and allows 50 requests a second, against the
 * time that this limit alone takes; and how often the next night asks.
 */
export async function measureGeocode(bed: Bed): Promise<Measured[]> {
  await writeNight(join(bed.folder, 'partners'), 1, 0);
  await bed.show('partners');
  await bed.empty('ours');
  const worker = await bed.startWorker({
    GOOGLE_MAPS_API_KEY: 'made-up',
    GOOGLE_MAPS_BASE_URL: bed.sourceUrl,
    GEOCODE_QPS: String(PER_SECOND),
  });
  const run = () => bed.run({ tables: ['media_partners'] });
  try {
    const time = await seconds(run);
    const first = await calls(bed);
    await run();
    const next = await calls(bed);
    const addresses = first.asked - first.refused;
    const refused = first.refused === 0 ? '' : ` (${first.refused} refused and asked again)`;
    return [
      {
        what: `geocode: ${addresses} addresses${refused}`,
        unit: 's',
        measured: time,
        baseline: { is: `the limit of ${PER_SECOND} a second`, value: (addresses - 1) / PER_SECOND },
        target: TARGET,
        noise: null,
      },
      {
        what: 'geocode: requests of the next night',
        unit: 'calls',
        measured: next.asked - first.asked,
        baseline: null,
        target: 0,
        noise: null,
      },
    ];
  } finally {
    await worker.stop();
  }
}

/** How often the geocoder was asked, and how often it refused, since it started. */
async function calls(bed: Bed): Promise<{ asked: number; refused: number }> {
  const response = await fetch(`${bed.sourceUrl}/calls`);
  return (await response.json()) as { asked: number; refused: number };
}
