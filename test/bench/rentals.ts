import pg from 'pg';
import type { Bed } from './bed.ts';
import { type Measured, median, seconds, spread } from './measured.ts';
import { startProgram } from './processes.ts';

const LOCATIONS = 21;
const APART_S = 0.5;
/** What the server takes for an answer. */
const ANSWER_S = 0.1;
const CYCLE_TARGET = 1.15;
const TABLES = 3;
const EVENTS_OF_STEP = 8;

/**
 * A cycle of 21 locations, two reports and the store list, against what the spacing of the calls alone imposes; and
 * what an idle one costs in Temporal.
 */
export async function measureRentals(bed: Bed, repetitions: number): Promise<Measured[]> {
  const server = await startProgram('rental-server', []);
  const worker = await bed.startWorker({ RETURN_API_BASE_URL: server.firstLine });
  const database = new pg.Client({ connectionString: bed.databaseUrl('ours') });
  await database.connect();
  const cycle = (): Promise<number> => seconds(() => bed.run({ sync: 'rentals' }));
  const first: number[] = [];
  const idle: number[] = [];
  try {
    // Warms up; the store list alone takes no time worth mentioning.
    await bed.run({ sync: 'rentals', tables: ['stores'] });
    for (let round = 1; round <= repetitions; round += 1) {
      await database.query(
        `TRUNCATE rentals.stores, rentals.leads, rentals.reports; DELETE FROM durasync.watermarks WHERE sync = 'rentals'`,
      );
      first.push(await cycle());
      idle.push(await cycle());
      bed.log(`rentals, round ${round}: ${JSON.stringify({ first: first.at(-1), idle: idle.at(-1) })}`);
    }
    const { rows } = await database.query<{ run_id: string; workflow_id: string }>(
      `SELECT run_id, workflow_id FROM durasync.sync_runs WHERE sync = 'rentals' ORDER BY started_at DESC LIMIT 1`,
    );
    const handle = bed.client.workflow.getHandle(rows[0]?.workflow_id ?? '', rows[0]?.run_id);
    const events = (await handle.fetchHistory()).events ?? [];
    const steps = events.filter((event) => event.activityTaskScheduledEventAttributes).length;
    return [
      compared('rentals: a cycle in which every row is new', first),
      compared('rentals: an idle cycle', idle),
      limited('rentals: activities of an idle cycle', 'steps', steps, TABLES + 3),
      limited('rentals: history of an idle cycle', 'events', events.length, (TABLES + 3) * EVENTS_OF_STEP),
    ];
  } finally {
    await database.end();
    await worker.stop();
    await server.stop();
  }
}

const compared = (what: string, times: readonly number[]): Measured => ({
  what,
  unit: 's',
  measured: median(times),
  baseline: {
    is: 'the spacing of the calls, and the last answer',
    value: (LOCATIONS - 1) * APART_S + ANSWER_S,
  },
  target: CYCLE_TARGET,
  noise: spread(times),
});

const limited = (what: string, unit: 'steps' | 'events', measured: number, target: number): Measured => ({
  what,
  unit,
  measured,
  baseline: null,
  target,
  noise: null,
});
