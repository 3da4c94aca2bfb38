import { sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { RunKind } from '../domain/run-plan.ts';
import type { TableStatus } from '../domain/run-result.ts';
import type { Db } from './connect.ts';

/** A run that is under way, and how far each of its tables is. */
export interface OpenRun {
  readonly run_id: RunId;
  readonly sync: string;
  readonly scope: string | null;
  readonly kind: RunKind;
  readonly started_at: string;
  readonly tables: readonly {
    readonly table: string;
    readonly status: TableStatus;
    /** The last thing done with it; null before the first and after the end. */
    readonly stage: string | null;
    readonly fetched: number;
    readonly quarantined: number;
  }[];
}

/** What people can see change, by what it is about. A text that differs says that something has changed. */
export interface Activity {
  readonly open: readonly OpenRun[];
  readonly versions: Readonly<Record<'runs' | 'clients' | 'quarantine' | 'audit', string>>;
}

/** Runs that are looked at one by one; of more only the newest. */
const OPEN_RUNS_MAX = 50;

/** What goes on now, in one short query. */
export async function readActivity(db: Db): Promise<Activity> {
  const { rows } = await sql<Activity>`
    SELECT
      (SELECT coalesce(json_agg(json_build_object('run_id', r.run_id, 'sync', r.sync, 'scope', r.scope, 'kind', r.kind,
                'started_at', to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                'tables', (SELECT coalesce(json_agg(json_build_object('table', t.table_name, 'status', t.status,
                             'stage', t.stage, 'fetched', t.fetched, 'quarantined', t.quarantined)
                             ORDER BY t.table_name), '[]')
                           FROM durasync.sync_run_tables t WHERE t.run_id = r.run_id)) ORDER BY r.started_at DESC), '[]')
       FROM (SELECT * FROM durasync.sync_runs WHERE status = 'running'
             ORDER BY started_at DESC LIMIT ${OPEN_RUNS_MAX}) r) AS open,
      json_build_object(
        'runs', (SELECT concat(string_agg(status || run_id, ',')) FROM (SELECT run_id, status FROM durasync.sync_runs
                 ORDER BY started_at DESC LIMIT 20) newest) ||
                (SELECT concat(string_agg(run_id, ',' ORDER BY run_id)) FROM durasync.sync_runs WHERE status = 'held'),
        'clients', (SELECT concat(count(*), max(updated_at), max(last_sync_at), max(next_sync_at))
                    FROM commerce.client_api_credentials),
        'quarantine', (SELECT concat(max(id)) FROM durasync.quarantined_rows),
        'audit', (SELECT concat(max(id)) FROM durasync.audit_log)
      ) AS versions`.execute(db);
  const [activity] = rows;
  if (!activity) throw new Error('PostgreSQL answered without a row');
  return activity;
}
