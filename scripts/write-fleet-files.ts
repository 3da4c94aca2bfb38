/**
 * Writes the fleet's five exports as CSV files with a header, cleaned so that any loader can take them, for comparisons
 * with other tools (docs/benchmarks.md). A night changes 1 % of the rows of the night before.
 *
 *   node --import tsx scripts/write-fleet-files.ts FOLDER [--scale N] [--night N]
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { cleanFile, TABLES, writeNight } from '../test/bench/exports.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' }, night: { type: 'string', default: '0' } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('Usage: node --import tsx scripts/write-fleet-files.ts FOLDER [--scale N] [--night N]');
  process.exit(2);
}
const drafts = await mkdtemp(join(tmpdir(), 'durasync-files-'));
await writeNight(drafts, Number(values.scale), Number(values.night));
await mkdir(folder, { recursive: true });
for (const table of TABLES) {
  const path = join(folder, `${table.name}.csv`);
  await writeFile(path, `${Object.keys(table.definition.row.shape).join(',')}\n`);
  await pipeline(createReadStream(cleanFile(drafts, table)), createWriteStream(path, { flags: 'a' }));
  console.log(`${path}, key ${table.definition.key.join(', ')}`);
}
await rm(drafts, { recursive: true });
