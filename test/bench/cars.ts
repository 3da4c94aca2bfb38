import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { request } from 'undici';
import { copyValue } from '../../src/db/copy-text.ts';
import { carRecord } from '../support/fake-auctions.ts';
import type { Bed } from './bed.ts';
import { type Measured, seconds } from './measured.ts';
import { peakMemoryMb } from './processes.ts';
import { Times } from './repeat.ts';

const PAGES = 500;
const CARS_PER_PAGE = 50;
const IMAGES = 15;
const TARGET = 3;
const MEMORY_TARGET_MB = 300;

/**
 * A full run over 500 pages of 50 cars with no delay between them, against one script that fetches the same pages,
 * copies them into a table and upserts that; and the memory of the worker process that made all of them.
 */
export async function measureCars(bed: Bed, repetitions: number): Promise<Measured[]> {
  bed.log('cars: making the pages');
  await writePages(join(bed.folder, 'auctions'));
  const worker = await bed.startWorker({
    AUCTIONS_API_BASE_URL: bed.sourceUrl,
    AUCTIONS_API_KEY: 'made-up',
    CARS_PAGE_DELAY_MS: '0',
  });
  const times = new Times<'ours' | 'plain'>();
  let peakMb: number | null;
  try {
    // Round 0 warms everything up.
    for (let round = 0; round <= repetitions; round += 1) {
      await bed.empty('plain');
      await bed.empty('ours');
      const took = {
        plain: await seconds(() => loadPlain(bed.databaseUrl('plain'), bed.sourceUrl)),
        ours: await seconds(() => bed.run({ sync: 'cars', full: true })),
      };
      bed.log(`cars, round ${round}: ${JSON.stringify(took)}`);
      if (round > 0) times.add(took);
    }
    peakMb = await peakMemoryMb(worker.pid);
  } finally {
    await worker.stop();
  }
  const compared = times.compare({
    what: `cars: ${PAGES} pages of ${CARS_PER_PAGE}, first load`,
    measured: 'ours',
    baseline: 'plain',
    is: 'fetch, COPY and upsert in one script',
    target: TARGET,
  });
  if (peakMb === null) return [compared];
  const memory = { baseline: null, target: MEMORY_TARGET_MB, noise: null };
  return [
    compared,
    { what: 'cars: peak memory of the worker process', unit: 'MB', measured: peakMb, ...memory },
  ];
}

async function writePages(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let page = 1; page <= PAGES; page += 1) {
    const data = Array.from({ length: CARS_PER_PAGE }, (_, index) => {
      const id = (page - 1) * CARS_PER_PAGE + index + 1;
      const normal = Array.from(
        { length: IMAGES },
        (_image, image) => `https://images.example/cars/${id}/${image}.jpg`,
      );
      return carRecord(id, { images: { normal, big: normal } });
    });
    const answer = { data, meta: { current_page: page, last_page: PAGES } };
    await writeFile(join(folder, `${page}.json`), JSON.stringify(answer));
  }
}

interface PlainCar {
  readonly id: number;
  readonly vin: string;
  readonly year: number;
  readonly title: string;
  readonly manufacturer: { readonly name: string };
  readonly model: { readonly name: string };
  readonly lots: readonly [{ readonly buy_now: number; readonly images: { readonly normal: string[] } }];
}

const COLUMNS = [
  'source',
  'external_id',
  'vin',
  'make',
  'model',
  'title',
  'year',
  'listed_price',
  'images',
  'status',
  'issues',
  'payload',
  'content_hash',
  'seen_at',
];

/** What somebody would write by hand, through one connection and in one transaction. */
async function loadPlain(databaseUrl: string, sourceUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  const list = COLUMNS.join(', ');
  try {
    await client.query('BEGIN');
    await client.query(
      `CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT ${list} FROM cars.cars WITH NO DATA`,
    );
    for (let page = 1; page <= PAGES; page += 1) {
      const { body } = await request(`${sourceUrl}/api/cars?page=${page}`);
      const { data } = (await body.json()) as { data: readonly PlainCar[] };
      const copy = client.query(copyFrom(`COPY incoming (${list}) FROM STDIN`));
      const done = new Promise((resolve, reject) => copy.once('finish', resolve).once('error', reject));
      copy.end(data.map(plainRow).join(''));
      await done;
    }
    const assignments = COLUMNS.slice(2).map((column) => `${column} = excluded.${column}`);
    await client.query(
      `INSERT INTO cars.cars (${list}) SELECT ${list} FROM incoming
       ON CONFLICT (source, external_id) DO UPDATE SET ${assignments.join(', ')}, updated_at = now()`,
    );
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

function plainRow(car: PlainCar): string {
  const [{ buy_now: price, images }] = car.lots;
  const { id, vin, manufacturer, model, title, year } = car;
  const names = [manufacturer.name, model.name, title];
  const rest = [year, price, images.normal, 'active', [], car, '', new Date().toISOString()];
  return `${['auctions', String(id), vin, ...names, ...rest].map(copyValue).join('\t')}\n`;
}
