import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { localFolder } from '../../src/connectors/backups/local-folder.ts';
import { createBackup } from '../../src/db/backup/create-backup.ts';
import { findBackup } from '../../src/db/backup/list-backups.ts';
import { listTables, tableName } from '../../src/db/backup/list-relations.ts';
import { verifyBackup } from '../../src/db/backup/verify-backup.ts';
import { backupName } from '../../src/domain/backups.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import type { Bed } from './bed.ts';
import { writeNight } from './exports.ts';
import { type Measured, seconds } from './measured.ts';
import { loadPlain } from './plain-sql.ts';
import { Times } from './repeat.ts';

const ROWS_AT_SCALE_1 = 18_214;
/** At least 60 % of the rate of plain COPY into gzip. */
const TARGET = 1 / 0.6;

/**
 * A whole backup, and its check in a scratch database, against COPY of the same tables through one connection into gzip
 * at its usual level.
 */
export async function measureBackup(bed: Bed, repetitions: number, scale: number): Promise<Measured[]> {
  const exports = join(bed.folder, 'backup-exports');
  bed.log('backup: making the rows');
  await writeNight(exports, 1, 0);
  await bed.empty('plain');
  const databaseUrl = bed.databaseUrl('plain');
  await loadPlain(databaseUrl, exports, 'everything');
  await rm(exports, { recursive: true });
  await multiply(databaseUrl, Math.round(scale));
  const folder = join(bed.folder, 'backups');
  const keys = createKeyRing(bed.secretKeys);
  const times = new Times<'plain' | 'backup' | 'verify'>();
  const settled = async (work: () => Promise<unknown>): Promise<number> => {
    await bed.settle();
    return seconds(work);
  };
  // Round 0 warms everything up.
  for (let round = 0; round <= repetitions; round += 1) {
    const place = localFolder(folder);
    const name = backupName(`2026-01-01T00:00:0${round}`);
    const plain = await settled(() => copyPlain(databaseUrl, join(bed.folder, 'plain-copy')));
    const backup = await settled(() => createBackup({ databaseUrl, place, keys, name, version: 'bench' }));
    const found = await findBackup([place], keys, name);
    const verify = await settled(() => verifyBackup({ found, keys, adminUrl: databaseUrl }));
    await place.remove(name);
    bed.log(`backup, round ${round}: ${JSON.stringify({ plain, backup, verify, bytes: found.shown.bytes })}`);
    if (round > 0) times.add({ plain, backup, verify });
  }
  const rows = (ROWS_AT_SCALE_1 * Math.round(scale)).toLocaleString('en');
  const compared = {
    baseline: 'plain',
    is: 'COPY of the same tables, one connection, into gzip',
    target: TARGET,
  } as const;
  return [
    times.compare({ what: `backup: ${rows} rows`, measured: 'backup', ...compared }),
    times.compare({ what: `backup: verify ${rows} rows`, measured: 'verify', ...compared }),
  ];
}

const KEYS = {
  vehicles: 'vin',
  media_partners: 'person_id',
  loan_history: 'activity_id',
  current_activity: 'activity_id',
  approved_makes: 'person_id',
} as const;

/** Makes so many of each row, one set behind the other, with keys of their own. */
async function multiply(databaseUrl: string, times: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const [table, key] of Object.entries(KEYS)) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT attname AS name FROM pg_attribute
         WHERE attrelid = 'fleet.${table}'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> '${key}'`,
      );
      const columns = rows.map(({ name }) => name).join(', ');
      await client.query(
        `INSERT INTO fleet.${table} (${key}, ${columns})
         SELECT ${key} || '-' || n, ${columns} FROM generate_series(2, ${times}) n, fleet.${table} ORDER BY n`,
      );
    }
  } finally {
    await client.end();
  }
}

async function copyPlain(databaseUrl: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const client = new pg.Client({ connectionString: databaseUrl });
  // A connection that breaks also fails its query, which is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const table of await listTables(client)) {
      const copy = client.query(copyTo(`COPY ${tableName(table)} TO STDOUT (FORMAT binary)`));
      await pipeline(copy, createGzip(), createWriteStream(join(folder, `${table.schema}.${table.name}.gz`)));
    }
  } finally {
    await client.end();
    await rm(folder, { recursive: true });
  }
}
