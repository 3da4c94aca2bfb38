import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import { SyncFailure } from '../domain/failures.ts';
import { allowMemory, type DatabaseConnection, type Db, inTransaction } from './connect.ts';
import type { StagedRows } from './copy-text.ts';
import { settleEqual } from './equal-rows.ts';
import { type LiveTable, liveTableSql, stagingTable } from './live-table.ts';
import { insertQuarantined, type QuarantinedRow } from './quarantine.ts';

/** Where this attempt begins, and what earlier pages counted. */
export interface StagingAttempt {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly relation: string;
  readonly attempt: number;
  readonly fetchStartedAt: Date;
  readonly nextCursor: string | null;
  readonly page: number;
  /** What an earlier attempt returned, when it had read the source to its end. */
  readonly result: Staged | null;
  /** In a replay: the run whose snapshot the rows complete; `fetchStartedAt` is that run's then. */
  readonly replayOf?: RunId;
  readonly notices?: readonly string[];
  readonly marks?: Readonly<Record<string, string>>;
  /** Why the source was not read to its end. */
  readonly incomplete?: string;
}

export interface PageToCommit {
  /** The number of the first page, and how many there are in one. */
  readonly page: number;
  readonly pages: number;
  readonly rows: StagedRows;
  readonly fetched: number;
  readonly quarantined: readonly QuarantinedRow[];
  readonly unreadable: number;
  readonly drift: readonly string[];
  readonly nextCursor: string | null;
}

/** The first letters of every staging relation of a run, so that all of them can be found again. */
const stagingPrefix = (runId: RunId): string => `r${runId.replaceAll('-', '').slice(0, 16)}_`;

/**
 * Takes over the staging of one table of a run. Earlier attempts lose their right to commit. Goes on behind
 * the last committed page when the source gave a cursor, else begins again with an empty relation.
 *
 * @throws SyncFailure RunEnded
 */
export async function takeOverStaging(
  { pool, db }: DatabaseConnection,
  runId: RunId,
  table: LiveTable,
): Promise<StagingAttempt> {
  return inTransaction(pool, async (client) => {
    // Locked, so that a run that ends now drops what is made here.
    const open = await client.query(
      `SELECT 1 FROM durasync.sync_runs WHERE run_id = $1 AND status = 'running' FOR SHARE`,
      [runId],
    );
    if (open.rowCount === 0)
      throw new SyncFailure('RunEnded', `${table.name}: the run has ended. Start a new one.`);
    const { rows } = await client.query<{ attempt: number; next_cursor: string | null }>(
      `INSERT INTO durasync.staging_progress AS p (run_id, table_name, attempt, relation, fetch_started_at)
       VALUES ($1, $2, nextval('durasync.staging_attempts'), '', clock_timestamp())
       ON CONFLICT (run_id, table_name) DO UPDATE SET attempt = excluded.attempt
       RETURNING attempt, next_cursor`,
      [runId, table.name],
    );
    const attempt = rows[0]?.attempt ?? 1;
    if ((rows[0]?.next_cursor ?? null) === null) await beginAgain(client, db, runId, table, attempt);
    const progress = await client.query(
      `SELECT relation, attempt, page, next_cursor AS "nextCursor", fetch_started_at AS "fetchStartedAt", result
       FROM durasync.staging_progress WHERE run_id = $1 AND table_name = $2`,
      [runId, table.name],
    );
    return { runId, table, ...progress.rows[0] };
  });
}

/** An empty relation of its own for each attempt: a zombie can fill the old one without harm. */
async function beginAgain(
  client: pg.PoolClient,
  db: Db,
  runId: RunId,
  table: LiveTable,
  attempt: number,
): Promise<void> {
  const kept = await client.query(
    `SELECT 1 FROM durasync.staging_progress WHERE run_id = $1 AND table_name = $2 AND result IS NOT NULL`,
    [runId, table.name],
  );
  if (kept.rowCount) return;
  const relation = `${stagingPrefix(runId)}${attempt}_${table.name}`;
  const { live, list } = liveTableSql(table);
  const create = sql`CREATE UNLOGGED TABLE ${stagingTable(relation)} WITH (autovacuum_enabled = off) AS
    SELECT 0::integer AS position, true AS valid, ${list(table.columns)} FROM ${live} WITH NO DATA`.compile(
    db,
  );
  await client.query(`DROP TABLE IF EXISTS durasync_staging."${relation}"`);
  await client.query(create.sql);
  await client.query(`DELETE FROM durasync.quarantined_rows WHERE run_id = $1 AND table_name = $2`, [
    runId,
    table.name,
  ]);
  await client.query(
    `UPDATE durasync.staging_progress
     SET relation = $3, page = 0, fetched = 0, quarantined = 0, unreadable = 0, drift = '[]',
         fetch_started_at = clock_timestamp()
     WHERE run_id = $1 AND table_name = $2`,
    [runId, table.name, relation],
  );
  await client.query(
    `UPDATE durasync.sync_run_tables
     SET status = 'running', stage = 'stage', fetched = 0, staged = 0, quarantined = 0, error_message = NULL,
         started_at = coalesce(started_at, clock_timestamp())
     WHERE run_id = $1 AND table_name = $2`,
    [runId, table.name],
  );
}

/**
 * Commits one page: its rows, its quarantined rows, its counts and the cursor behind it, all or nothing.
 *
 * @throws SyncFailure Fenced when a later attempt has taken over or the page is already committed, or
 * a crash of PostgreSQL has emptied staging
 */
export async function commitPage(pool: pg.Pool, staging: StagingAttempt, page: PageToCommit): Promise<void> {
  await inTransaction(pool, async (client) => {
    // A crash that loses this commit also empties the unlogged rows that it counts.
    await client.query('SET LOCAL synchronous_commit = off');
    await copyRows(client, staging, page.rows);
    await insertQuarantined(client, staging.runId, staging.table, page.quarantined);
    const { rowCount } = await client.query(
      `UPDATE durasync.staging_progress
       SET page = page + $10, next_cursor = $5, fetched = fetched + $6, quarantined = quarantined + $7,
           unreadable = unreadable + $8,
           drift = (SELECT coalesce(jsonb_agg(DISTINCT d), '[]') FROM jsonb_array_elements(drift || $9::jsonb) d)
       WHERE run_id = $1 AND table_name = $2 AND attempt = $3 AND page = $4`,
      [
        staging.runId,
        staging.table.name,
        staging.attempt,
        page.page,
        page.nextCursor,
        page.fetched,
        page.quarantined.length,
        page.unreadable,
        JSON.stringify(page.drift),
        page.pages,
      ],
    );
    if (rowCount !== 1) throw fenced(staging.table);
    await client.query(
      `UPDATE durasync.sync_run_tables
       SET fetched = fetched + $3, staged = staged + $4, quarantined = quarantined + $5
       WHERE run_id = $1 AND table_name = $2`,
      [
        staging.runId,
        staging.table.name,
        page.fetched,
        page.fetched - page.quarantined.length,
        page.quarantined.length,
      ],
    );
  });
}

async function copyRows(client: pg.PoolClient, staging: StagingAttempt, rows: StagedRows): Promise<void> {
  const chunks = rows.chunks();
  if (chunks.length === 0) return;
  const { columns } = staging.table;
  const copy = client.query(
    copyFrom(
      `COPY durasync_staging."${staging.relation}" (position, valid, ${columns.map((c) => `"${c}"`).join(', ')})
       FROM STDIN`,
    ),
  );
  await pipeline(Readable.from(chunks), copy);
}

/**
 * Ends the staging of a table: keeps the last of equal keys, counts what is there and remembers the answer,
 * so that a repeat gives the same without reading the source again.
 *
 * @throws SyncFailure Fenced when a later attempt has taken over
 */
export async function completeStaging(
  { db }: DatabaseConnection,
  attempted: StagingAttempt,
): Promise<Staged> {
  const { runId, table, relation, attempt, fetchStartedAt } = attempted;
  const { replayOf, notices, marks, incomplete } = attempted;
  return db.transaction().execute(async (tx) => {
    await allowMemory(tx);
    const counted = await settleEqual(tx, table, relation);
    const { rows } = await sql<Pick<Staged, 'fetched' | 'quarantined' | 'unreadable' | 'drift'>>`
      SELECT p.fetched, p.quarantined, p.unreadable,
             ARRAY(SELECT jsonb_array_elements_text(p.drift) EXCEPT
                   SELECT jsonb_array_elements_text(s.drift) FROM durasync.table_state s
                   WHERE s.sync = ${table.sync} AND s.scope = ${table.scope} AND s.table_name = ${table.name}) AS drift
      FROM durasync.staging_progress p
      WHERE p.run_id = ${runId} AND p.table_name = ${table.name} AND p.attempt = ${attempt}`.execute(tx);
    if (!rows[0]) throw fenced(table);
    const staged: Staged = {
      ...rows[0],
      relation,
      staged: counted.kept,
      duplicates: counted.rows - counted.kept,
      days: await readDays(tx, table, relation),
      sourceFetchedAt: fetchStartedAt.toISOString(),
      replayOf,
      notices,
      marks,
      incomplete,
    };
    const { numUpdatedRows } = await tx
      .updateTable('durasync.staging_progress')
      .set({ result: JSON.stringify(staged) })
      .where('run_id', '=', runId)
      .where('table_name', '=', table.name)
      .where('attempt', '=', attempt)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw fenced(table);
    await tx
      .updateTable('durasync.sync_run_tables')
      .set({ staged: staged.staged, duplicates: staged.duplicates, stage: 'review' })
      .where('run_id', '=', runId)
      .where('table_name', '=', table.name)
      .execute();
    return staged;
  });
}

/** The days of staged rows, where that matters and there are any. */
async function readDays(db: Db, { day }: LiveTable, relation: string): Promise<Staged['days']> {
  if (day === null) return undefined;
  const { rows } = await sql<NonNullable<Staged['days']>>`
    SELECT min(${sql.ref(day)}) AS "from", max(${sql.ref(day)}) + 1 AS "to"
    FROM ${stagingTable(relation)} WHERE valid HAVING count(*) > 0`.execute(db);
  return rows[0];
}

const fenced = (table: LiveTable): SyncFailure =>
  new SyncFailure(
    'Fenced',
    `${table.name}: another attempt has taken over, or PostgreSQL crashed and staging is empty. It is staged again.`,
  );

/** Removes everything that a run staged. Safe to repeat. */
export async function dropStaging(db: Db, runId: RunId): Promise<void> {
  const { rows } = await sql<{ relation: string }>`
    SELECT tablename AS relation FROM pg_tables
    WHERE schemaname = 'durasync_staging' AND starts_with(tablename, ${stagingPrefix(runId)})`.execute(db);
  const relations = rows.map(({ relation }) => stagingTable(relation));
  if (relations.length > 0) await sql`DROP TABLE IF EXISTS ${sql.join(relations)}`.execute(db);
  await db.deleteFrom('durasync.staging_progress').where('run_id', '=', runId).execute();
}

/**
 * Makes relations outlive a crash of the database; for runs that wait for a decision. Safe to repeat.
 *
 * @throws SyncFailure StagingLost when a crash has emptied one since it was reviewed
 */
export async function keepStaging(
  db: Db,
  relations: readonly { readonly relation: string; readonly rows: number }[],
): Promise<void> {
  for (const { relation, rows: expected } of relations) {
    await sql`ALTER TABLE ${stagingTable(relation)} SET LOGGED`.execute(db);
    const { rows } = await sql<{ count: number }>`
      SELECT count(*) FROM ${stagingTable(relation)} WHERE valid`.execute(db);
    if (rows[0]?.count === expected) continue;
    throw new SyncFailure('StagingLost', 'PostgreSQL crashed while the run was being held. Start a new run.');
  }
}
