import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readRows } from '../../src/connectors/csv/read-rows.ts';
import { fleetExport } from '../../src/syncs/fleet/demo-data.ts';
import { csvLine } from '../../src/syncs/fleet/demo-format.ts';
import {
  approvedMakes,
  currentActivity,
  loanHistory,
  mediaPartners,
  vehicles,
} from '../../src/syncs/fleet/tables.ts';
import { validateRow } from '../../src/syncs/validate-row.ts';

/** The five tables of the nightly sync; each feed is called as its table. */
export const TABLES = [
  { name: 'vehicles', definition: vehicles },
  { name: 'media_partners', definition: mediaPartners },
  { name: 'loan_history', definition: loanHistory },
  { name: 'current_activity', definition: currentActivity },
  { name: 'approved_makes', definition: approvedMakes },
] as const;

export type BenchTable = (typeof TABLES)[number];

const CHUNK_CHARACTERS = 256 * 1024;

/** The export of one table and night, as the source sends it. */
export const exportFile = (folder: string, table: BenchTable): string => join(folder, `${table.name}.csv`);

/** The same rows in a form that plain COPY accepts, its columns in the order of the definition. */
export const cleanFile = (folder: string, table: BenchTable): string =>
  join(folder, `${table.name}.clean.csv`);

/** Writes both files of every table for one night into `folder`; 1 % of the rows change from night to night. */
export async function writeNight(folder: string, scale: number, night: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const table of TABLES) {
    const lines = (): Iterable<string> => fleetExport(table.name, { scale, night });
    await pipeline(Readable.from(buffers(lines())), createWriteStream(exportFile(folder, table)));
    const clean = createWriteStream(cleanFile(folder, table));
    await pipeline(Readable.from(cleanLines(table, lines())), clean);
  }
}

async function* cleanLines({ definition }: BenchTable, lines: Iterable<string>): AsyncGenerator<Buffer> {
  const names = Object.keys(definition.row.shape);
  const columns = names.map((name) => ({ name, header: name }));
  for await (const page of readRows(Readable.from(buffers(lines)), { source: definition.name, columns })) {
    yield* buffers(
      page.rows.map((row) => {
        const verdict = validateRow(definition, row);
        if (verdict.kind !== 'valid') throw new Error(`The demo has a bad row: ${verdict.reasons.join()}`);
        return csvLine(names.map((name) => (verdict.values[name] as string | null) ?? ''));
      }),
    );
  }
}

function* buffers(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}
