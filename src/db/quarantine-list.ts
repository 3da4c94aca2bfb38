import type { Db } from './connect.ts';

/** A row that could not be taken, with everything a person needs to mend it. */
export interface QuarantineEntry {
  readonly id: number;
  readonly run_id: string;
  readonly sync: string;
  readonly table: string;
  /** 1-based line of the file, or number of the record. */
  readonly position: number;
  readonly reasons: readonly string[];
  /** The row's own text, at most 4 kB. */
  readonly raw: string;
  readonly created_at: string;
  readonly resolved_at: string | null;
}

export interface QuarantineFilter {
  readonly sync?: string;
  readonly table?: string;
  readonly runId?: string;
  readonly id?: number;
  readonly limit: number;
}

/** The newest rows first. */
export async function listQuarantined(db: Db, filter: QuarantineFilter): Promise<QuarantineEntry[]> {
  let query = db
    .selectFrom('durasync.quarantined_rows')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('position')
    .limit(filter.limit);
  if (filter.sync !== undefined) query = query.where('sync', '=', filter.sync);
  if (filter.table !== undefined) query = query.where('table_name', '=', filter.table);
  if (filter.runId !== undefined) query = query.where('run_id', '=', filter.runId);
  if (filter.id !== undefined) query = query.where('id', '=', filter.id);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    run_id: row.run_id,
    sync: row.sync,
    table: row.table_name,
    position: row.position,
    reasons: row.reasons,
    raw: row.raw,
    created_at: row.created_at.toISOString(),
    resolved_at: row.resolved_at?.toISOString() ?? null,
  }));
}
