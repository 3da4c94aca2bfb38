import type { FleetHarness } from './sync-harness.ts';

const TABLES = {
  vehicles: 'vin',
  media_partners: 'person_id',
  loan_history: 'activity_id',
  current_activity: 'activity_id',
  approved_makes: 'person_id, make',
} as const;

export type FleetTable = keyof typeof TABLES;

/** Every row of the live tables and of their archives as JSON text: equal before and after means untouched. */
export async function liveTables(
  { rows }: Pick<FleetHarness, 'rows'>,
  names = Object.keys(TABLES) as readonly FleetTable[],
): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const name of names) {
    for (const table of [name, `${name}_archive`]) {
      const read = await rows(`SELECT to_jsonb(t)::text AS row FROM ${table} t ORDER BY ${TABLES[name]}`);
      found[table] = read.map(({ row }) => row);
    }
  }
  return found;
}
