import type pg from 'pg';
import type { LiveTable } from './live-table.ts';

/** Whether a live table is empty, and will be until this transaction writes: inserting then takes half the time. */
export async function staysEmpty(client: pg.PoolClient, { schema, live }: LiveTable): Promise<boolean> {
  await client.query(`LOCK TABLE "${schema}"."${live}" IN SHARE ROW EXCLUSIVE MODE`);
  const any = await client.query(`SELECT 1 FROM "${schema}"."${live}" LIMIT 1`);
  return any.rowCount === 0;
}
