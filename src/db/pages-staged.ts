import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';

/** How many pages of a table a run has committed to staging so far. */
export async function pagesStaged(db: Db, runId: RunId, table: string): Promise<number> {
  const row = await db
    .selectFrom('durasync.staging_progress')
    .select('page')
    .where('run_id', '=', runId)
    .where('table_name', '=', table)
    .executeTakeFirst();
  return row?.page ?? 0;
}
