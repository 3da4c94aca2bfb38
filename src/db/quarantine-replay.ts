import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { ReplaySelection } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Source, SourcePage, SourceRow } from '../domain/source.ts';
import { audit } from './audit.ts';
import type { Db } from './connect.ts';
import type { LiveTable } from './live-table.ts';
import { storableValues } from './quarantine.ts';

/** Where the plan of a run names the setting of a source, a replay names this. */
export const QUARANTINE = 'quarantine';

const PAGE_ROWS = 2_000;

/** Which unresolved rows are meant; those of one sync when a run asks. */
export interface ReplayFilter extends ReplaySelection {
  readonly sync?: string;
  readonly tables?: readonly string[];
}

/** Whether a quarantined row can be replayed, and if not, why. */
export type ReplayState =
  | 'ready'
  | 'resolved'
  /** It could not be split into columns. */
  | 'unreadable'
  /** Its values were too long to be kept. */
  | 'not-kept'
  /** A newer snapshot of its table waits for a decision. */
  | 'held'
  /** Its own run merged nothing into the table. */
  | 'not-merged'
  /** A later run has read the source again: this row would travel back in time. */
  | 'superseded';

export interface ReplayRow {
  readonly id: number;
  readonly sync: string;
  readonly table: string;
  readonly position: number;
  readonly reasons: readonly string[];
  readonly values: Readonly<Record<string, unknown>> | null;
  readonly state: ReplayState;
  /** The run that resolved, superseded or holds it. */
  readonly byRunId: RunId | null;
}

const rowsWithState = (wanted: RawBuilder<unknown>): RawBuilder<ReplayRow> => sql<ReplayRow>`
  SELECT q.id, q.sync, q.table_name AS table, q.position, q.reasons, q."values", s.state,
         CASE s.state WHEN 'resolved' THEN q.replay_run_id WHEN 'held' THEN h.run_id
                      WHEN 'superseded' THEN l.merged_run_id END AS "byRunId"
  FROM durasync.quarantined_rows q
  LEFT JOIN durasync.table_state l ON l.sync = q.sync AND l.scope = '' AND l.table_name = q.table_name
  LEFT JOIN durasync.sync_run_tables t ON t.run_id = q.run_id AND t.table_name = q.table_name
  LEFT JOIN LATERAL (
    SELECT w.run_id FROM durasync.sync_run_tables w JOIN durasync.sync_runs r USING (run_id)
    WHERE w.status = 'held' AND r.status = 'held' AND r.sync = q.sync AND w.table_name = q.table_name
    ORDER BY r.started_at DESC LIMIT 1) h ON true
  CROSS JOIN LATERAL (SELECT CASE
    WHEN q.resolved_at IS NOT NULL THEN 'resolved'
    WHEN q.unreadable THEN 'unreadable'
    WHEN h.run_id IS NOT NULL THEN 'held'
    WHEN t.merged_generation IS NULL THEN 'not-merged'
    WHEN q.run_id IS DISTINCT FROM l.merged_run_id THEN 'superseded'
    WHEN q."values" IS NULL THEN 'not-kept'
    ELSE 'ready' END AS state) s
  WHERE ${wanted}`;

function matches({ sync, tables, ids, runId }: ReplayFilter): RawBuilder<boolean> {
  const all = [ids ? sql<boolean>`q.id = ANY(${ids})` : sql<boolean>`q.resolved_at IS NULL`];
  if (sync !== undefined) all.push(sql<boolean>`q.sync = ${sync}`);
  if (tables !== undefined) all.push(sql<boolean>`q.table_name = ANY(${tables})`);
  if (runId !== undefined) all.push(sql<boolean>`q.run_id = ${runId}`);
  return sql<boolean>`${sql.join(all, sql` AND `)}`;
}

/** The rows that a filter means, each with whether it can be replayed; those that can come first. */
export async function readReplayRows(db: Db, filter: ReplayFilter, limit: number): Promise<ReplayRow[]> {
  const { rows } = await sql<ReplayRow>`
    ${rowsWithState(matches(filter))} ORDER BY s.state <> 'ready', q.id LIMIT ${limit}`.execute(db);
  return rows;
}

export interface ReplayCount {
  readonly sync: string;
  readonly table: string;
  readonly state: ReplayState;
  readonly byRunId: RunId | null;
  readonly rows: number;
}

/** How many rows of each table a filter means, by whether they can be replayed. */
export async function countReplayRows(db: Db, filter: ReplayFilter): Promise<ReplayCount[]> {
  const { rows } = await sql<ReplayCount>`
    SELECT sync, "table", state, "byRunId", count(*) AS rows FROM (${rowsWithState(matches(filter))}) r
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`.execute(db);
  return rows;
}

/** Keeps what a replay was asked for beside its run. Safe to repeat. */
export async function saveReplaySelection(db: Db, runId: RunId, selection: ReplaySelection): Promise<void> {
  await db
    .updateTable('durasync.sync_runs')
    .set({ metadata: sql`metadata || ${JSON.stringify({ replay: selection })}::jsonb` })
    .where('run_id', '=', runId)
    .execute();
}

/** The quarantined rows of one table that a replay takes. */
export interface ReplayedTable {
  readonly source: Source;
  /** The run whose snapshot the live table shows, and when that was fetched; absent before the first merge. */
  readonly snapshot?: { readonly replayOf: RunId; readonly fetchStartedAt: Date };
}

/**
 * Opens the rows that a replay takes from one table as a source, and counts those it can't take as skipped.
 * Safe to repeat.
 */
export async function openReplay(db: Db, runId: RunId, table: LiveTable): Promise<ReplayedTable> {
  // Read before the rows are: a snapshot that is merged from now on is newer than what this replay has.
  const state = await db
    .selectFrom('durasync.table_state')
    .select(['merged_run_id', 'source_fetched_at'])
    .where('sync', '=', table.sync)
    .where('scope', '=', '')
    .where('table_name', '=', table.name)
    .executeTakeFirst();
  const run = await db
    .selectFrom('durasync.sync_runs')
    .select('metadata')
    .where('run_id', '=', runId)
    .executeTakeFirst();
  const selection = (run?.metadata['replay'] ?? {}) as ReplaySelection;
  const filter: ReplayFilter = { ...selection, sync: table.sync, tables: [table.name] };
  const counts = await countReplayRows(db, filter);
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ skipped: counts.reduce((sum, each) => (each.state === 'ready' ? sum : sum + each.rows), 0) })
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .execute();
  if (!state?.merged_run_id || !state.source_fetched_at) {
    return { source: { setting: QUARANTINE, fetchPages: noPages } };
  }
  const replayOf = state.merged_run_id as RunId;
  return {
    source: {
      setting: QUARANTINE,
      fetchPages: () => claimPages(db, runId, sql`${matches(filter)} AND q.run_id = ${replayOf}`),
    },
    snapshot: { replayOf, fetchStartedAt: state.source_fetched_at },
  };
}

async function* noPages(): AsyncGenerator<SourcePage> {}

/**
 * Claims rows for a replay and gives their values; the number of a row is its position. Whoever corrects a
 * claimed row takes the claim away, so that the older values resolve nothing.
 */
async function* claimPages(db: Db, runId: RunId, wanted: RawBuilder<unknown>): AsyncGenerator<SourcePage> {
  for (let last = 0; ;) {
    const { rows } = await sql<{ id: number; values: ReplayRow['values'] }>`
      WITH page AS (
        SELECT r.id FROM (${rowsWithState(wanted)}) r WHERE r.state = 'ready' AND r.id > ${last}
        ORDER BY r.id LIMIT ${PAGE_ROWS}
      ), claimed AS (
        UPDATE durasync.quarantined_rows q SET replay_run_id = ${runId} FROM page p WHERE q.id = p.id
        RETURNING q.id, q."values"
      )
      SELECT * FROM claimed ORDER BY id`.execute(db);
    yield {
      rows: rows.map(({ id, values }): SourceRow => ({ position: id, values: values ?? {}, raw: '' })),
      nextCursor: null,
    };
    if (rows.length < PAGE_ROWS) return;
    last = rows.at(-1)?.id ?? last;
  }
}

/** Resolves what a replay has merged, in the merge's transaction. */
export async function resolveReplayed(client: pg.PoolClient, runId: RunId, table: LiveTable): Promise<void> {
  await client.query(
    `UPDATE durasync.quarantined_rows SET resolved_at = clock_timestamp()
     WHERE replay_run_id = $1 AND table_name = $2 AND resolved_at IS NULL`,
    [runId, table.name],
  );
}

/** A correction that can't be kept; the message says why. */
export class CorrectionError extends Error {
  override readonly name = 'CorrectionError';
}

/**
 * Replaces values of one unresolved row and says so in the audit log, which never holds the values.
 *
 * @throws CorrectionError when the row is resolved meanwhile, or its values would be too long to be kept
 */
export async function correctQuarantined(
  db: Db,
  id: number,
  values: Readonly<Record<string, string>>,
  actor: string,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('durasync.quarantined_rows')
      .select('values')
      .where('id', '=', id)
      .where('resolved_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (!row?.values) throw new CorrectionError(`Row ${id} can no longer be corrected.`);
    const corrected = storableValues({ ...row.values, ...values });
    if (!corrected) throw new CorrectionError(`The values of row ${id} would be longer than 4 kB.`);
    await tx
      .updateTable('durasync.quarantined_rows')
      .set({ values: JSON.stringify(corrected), replay_run_id: null })
      .where('id', '=', id)
      .execute();
    const subject = `quarantine/${id}`;
    await audit(tx, { actor, action: 'correct row', subject, detail: { columns: Object.keys(values) } });
  });
}
