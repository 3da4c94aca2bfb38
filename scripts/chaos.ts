/**
 * Runs a fault campaign: every sync without a pause while workers, PostgreSQL, Temporal, the network, the disk and the
 * sources fail as the seed says; then compares every table with the sources. See docs/reliability.md.
 *
 *   npm run chaos -- [--seed N] [--faults N]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '200' },
    help: { type: 'boolean', short: 'h' },
  },
});
const isWrong = [values.seed, values.faults].some((value) => !/^[1-9]\d{0,8}$/.test(value));
if (values.help || isWrong) {
  console.log('Usage: npm run chaos -- [--seed N] [--faults N]   (whole numbers from 1; seed 1, 200 faults)');
  process.exit(values.help ? 0 : 2);
}
const log = join(tmpdir(), `durasync-chaos-${values.seed}-${values.faults}.log`);
rmSync(log, { force: true });
console.log(`Seed ${values.seed}, ${values.faults} faults. Each is told in ${log}`);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/chaos/campaign.test.ts', '--reporter=default'], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SEED: values.seed, CHAOS_FAULTS: values.faults, CHAOS_LOG: log },
});
const told = existsSync(log) ? readFileSync(log, 'utf8') : '';
console.log(told.slice(Math.max(0, told.indexOf('\n{'))).trim());
process.exit(status ?? 1);
