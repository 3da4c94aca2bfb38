/**
 * npm run bench [-- night big geocode clients rentals cars sales backup] [--scale N] [--quick] [--json]
 *
 * Compares whole runs with what they can't cost less than, measured in the same minutes on the same engines. The
 * table goes to standard output, progress to standard error. Exit code 1 when a target is not met.
 */
import { parseArgs } from 'node:util';
import { measureBackup } from './backup.ts';
import { startBed } from './bed.ts';
import { measureBig } from './big.ts';
import { measureCars } from './cars.ts';
import { measureClients } from './clients.ts';
import { measureGeocode } from './geocode.ts';
import { isMet, type Measured } from './measured.ts';
import { measureNight } from './night.ts';
import { measureRentals } from './rentals.ts';
import { machine, renderJson, renderTable } from './report.ts';
import { measureSales } from './sales.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '100' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const INTERRUPTED = 130;
const CLIENTS_AT_SCALE_1 = 100;
/** 2 million rows at the usual scale. */
const BACKUP_AT_SCALE_1 = 1.1;
const scale = Number(values.scale);
const benchmarks = {
  night: (bed) => measureNight(bed, values.quick ? 1 : 7),
  big: (bed) => measureBig(bed, values.quick ? 1 : 3, scale),
  geocode: measureGeocode,
  rentals: (bed) => measureRentals(bed, values.quick ? 1 : 3),
  clients: (bed) => measureClients(bed, values.quick ? 1 : 3, scale * CLIENTS_AT_SCALE_1),
  cars: (bed) => measureCars(bed, values.quick ? 1 : 5),
  sales: (bed) => measureSales(bed, values.quick ? 1 : 3),
  backup: (bed) => measureBackup(bed, values.quick ? 1 : 3, scale * BACKUP_AT_SCALE_1),
} satisfies Record<string, (bed: Awaited<ReturnType<typeof startBed>>) => Promise<Measured[]>>;
const known = Object.keys(benchmarks) as (keyof typeof benchmarks)[];
const unknown = positionals.filter((name) => !known.some((each) => each === name));
if (unknown.length > 0 || !(scale > 0)) {
  console.error(`Usage: npm run bench -- [${known.join('] [')}] [--scale N] [--quick] [--json]`);
  process.exit(2);
}

const before = machine();
const starting = startBed((message) => console.error(message));
const interrupt = (): void =>
  void starting.then((started) => started.stop()).finally(() => process.exit(INTERRUPTED));
process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
const bed = await starting;
const lines: Measured[] = [];
try {
  for (const name of known) {
    if (positionals.length === 0 || positionals.includes(name)) lines.push(...(await benchmarks[name](bed)));
  }
} finally {
  await bed.stop();
}
console.log(values.json ? renderJson(before, lines) : renderTable(before, lines));
process.exitCode = lines.every(isMet) ? 0 : 1;
