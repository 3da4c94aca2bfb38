import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { connectDatabase } from '../../src/db/connect.ts';
import { startImport } from '../../src/installation/import-upload.ts';
import { checkUpload, findUploadKind, PREVIEW_ROWS } from '../../src/syncs/check-upload.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import type { Bed } from './bed.ts';
import { type Measured, seconds } from './measured.ts';
import { peakMemoryMb } from './processes.ts';
import { Times } from './repeat.ts';

const ROWS = 1_000_000;
const DAYS = 365;
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.parse('2025-01-01');
const TARGET = 2.5;
const MEMORY_TARGET_MB = 400;
const COLUMNS = 'date, user_id, product_name, quantity, unit_price, total_amount, region';

/**
 * A file of a million sales, imported as the command does it (looked at, kept in the database, loaded by a run), against
 * COPY into a temporary table and one INSERT that numbers equal rows; and the memory of the worker.
 */
export async function measureSales(bed: Bed, repetitions: number): Promise<Measured[]> {
  bed.log('sales: making the file');
  const file = join(bed.folder, 'sales.csv');
  await pipeline(Readable.from(lines()), createWriteStream(file));
  const worker = await bed.startWorker({ SALES_API_URL: bed.sourceUrl });
  const times = new Times<'ours' | 'plain'>();
  let peakMb: number | null;
  try {
    // Round 0 warms everything up.
    for (let round = 0; round <= repetitions; round += 1) {
      await bed.empty('plain');
      await bed.empty('ours');
      const took = {
        plain: await seconds(() => loadPlain(bed.databaseUrl('plain'), file)),
        ours: await seconds(() => importFile(bed, file)),
      };
      bed.log(`sales, round ${round}: ${JSON.stringify(took)}`);
      if (round > 0) times.add(took);
    }
    peakMb = await peakMemoryMb(worker.pid);
  } finally {
    await worker.stop();
  }
  const compared = times.compare({
    what: `sales: a file of ${ROWS.toLocaleString('en')} rows`,
    measured: 'ours',
    baseline: 'plain',
    is: 'COPY and one INSERT',
    target: TARGET,
  });
  if (peakMb === null) return [compared];
  const memory = { baseline: null, target: MEMORY_TARGET_MB, noise: null };
  return [
    compared,
    { what: 'sales: peak memory of the worker process', unit: 'MB', measured: peakMb, ...memory },
  ];
}

/** Sales in the order of their days; one in a hundred is like the one before it. */
function* lines(): Generator<string> {
  yield `${COLUMNS.replaceAll(' ', '')}\n`;
  let block = '';
  for (let row = 0; row < ROWS; row += 1) {
    const number = row % 100 === 99 ? row - 1 : row;
    const day = new Date(FIRST_DAY_MS + Math.floor((row * DAYS) / ROWS) * DAY_MS).toISOString().slice(0, 10);
    const [quantity, cents] = [1 + (number % 5), 100 + ((number * 37) % 9_900)];
    const money = (value: number): string => (value / 100).toFixed(2);
    block +=
      `${day},user-${number % 5_000},Product number ${number % 700},${quantity},${money(cents)},` +
      `${money(cents * quantity)},${['North', 'South', 'East', 'West'][number % 4]}\n`;
    if (row % 1_000 < 999) continue;
    yield block;
    block = '';
  }
  yield block;
}

async function importFile(bed: Bed, path: string): Promise<void> {
  const database = connectDatabase({ databaseUrl: bed.databaseUrl('ours'), applicationName: 'bench' });
  try {
    const kind = findUploadKind([sales], 'sales');
    const upload = {
      fileName: 'sales.csv',
      options: {},
      read: () => createReadStream(path, { highWaterMark: 1024 * 1024 }),
    };
    const { badRows } = await checkUpload(kind, upload, '2026-11-27', { rowsMax: PREVIEW_ROWS });
    const { client } = bed;
    const { runId, workflowId } = await startImport(
      { database, client },
      { kind, upload },
      { actor: 'bench' },
    );
    const { tables } = await client.workflow.getHandle(workflowId, runId).result();
    if (badRows > 0 || tables[0]?.inserted !== ROWS) throw new Error(`it ended as ${JSON.stringify(tables)}`);
  } finally {
    await database.close();
  }
}

async function loadPlain(databaseUrl: string, file: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT ${COLUMNS} FROM sales.sales WITH NO DATA`,
    );
    const copy = client.query(copyFrom(`COPY incoming (${COLUMNS}) FROM STDIN (FORMAT csv, HEADER)`));
    await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), copy);
    await client.query(
      `INSERT INTO sales.sales (${COLUMNS}, ordinal, sources)
       SELECT ${COLUMNS}, row_number() OVER (PARTITION BY ${COLUMNS}), '{csv}' FROM incoming ON CONFLICT DO NOTHING`,
    );
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}
