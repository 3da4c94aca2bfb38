import { sql } from 'kysely';
import { readStagedRelation, stagingTable } from '../../db/live-table.ts';
import type { StepDefinition } from '../define-sync.ts';

/** Counted apart in every run, also when there is none of them. */
const MARKET_PLACES = ['encar', 'kbchachacha'];

/** Counts the cars that a run has seen by the market place that shows them, changed or not. */
export const countDomains: StepDefinition = {
  name: 'domains',
  after: ['cars'],
  async run({ database: { db }, runId }) {
    const counts = new Map(MARKET_PLACES.map((name) => [name, 0]));
    const relation = await readStagedRelation(db, runId, 'cars');
    if (relation !== null) {
      const { rows } = await sql<{ domain: string | null; cars: number }>`
        SELECT domain, count(*) AS cars FROM ${stagingTable(relation)} WHERE valid GROUP BY domain`.execute(
        db,
      );
      for (const { domain, cars } of rows) {
        const name = marketPlace(domain);
        counts.set(name, (counts.get(name) ?? 0) + cars);
      }
    }
    const named = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      success: true,
      summary: named.map(([name, cars]) => `${cars} of ${name}`).join(', '),
      counts: Object.fromEntries(named.map(([name, cars]) => [`${name}_count`, cars])),
    };
  },
};

/** One name for each market place, however its domain is written: encar, Encar.com, encar_com. */
function marketPlace(domain: string | null): string {
  const name = (domain ?? 'unknown').toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return MARKET_PLACES.find((known) => name.startsWith(known)) ?? name;
}
