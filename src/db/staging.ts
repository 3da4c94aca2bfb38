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
import { closingTable } from './runs.ts';
import { watermarkMoves } from './watermarks.ts';

/** Where this attempt begins, and what earlier pages counted. */
export interface StagingAttempt {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly relation: string;
  /** Whether the relation is there: it comes with its first rows, because a source often shows none. */
  isMade: boolean;
  readonly attempt: number;
  readonly fetchStartedAt: Date;
  readonly nextCursor: string | null;
  readonly page: number;
  /** Rows on those pages, good ones and bad ones. */
  readonly fetched: number;
  /** What an earlier attempt returned, when it had read the source to its end. */
  readonly result: Staged | null;
  /** Up to when the whole source has been merged (ISO), or null before the first time. */
  readonly watermark: string | null;
}

/** What is known of a source once it is read to its end. */
export interface Reading {
  /** In a replay: the run whose snapshot the rows complete, and when that was fetched. */
  readonly replay?: { readonly replayOf: RunId; readonly fetchStartedAt: Date };
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
 * the last committed page when the source gave a cursor, else begins again with an empty relation of its own: a
 * zombie can fill the old one without harm.
 *
 * @throws SyncFailure RunEnded
 */
export async function takeOverStaging(
  { pool }: DatabaseConnection,
  runId: RunId,
  table: LiveTable,
): Promise<StagingAttempt> {
  const { rows } = await pool.query<Omit<StagingAttempt, 'runId' | 'table' | 'isMade'>>(
    `WITH run AS (
       SELECT run_id FROM durasync.sync_runs WHERE run_id = $1 AND status = 'running' FOR SHARE
     ), taken AS (
       INSERT INTO durasync.staging_progress AS p (run_id, table_name, attempt, relation, fetch_started_at)
       SELECT run_id, $2, nextval('durasync.staging_attempts'), '', clock_timestamp() FROM run
       ON CONFLICT (run_id, table_name) DO UPDATE
       SET (attempt, relation, fetch_started_at, page, fetched, quarantined, unreadable, drift) = (
         SELECT excluded.attempt, k.relation, k.fetch_started_at, k.page, k.fetched, k.quarantined, k.unreadable, k.drift
         FROM (SELECT (CASE WHEN p.next_cursor IS NULL AND p.result IS NULL THEN excluded ELSE p END).*) k)
       RETURNING *
     ), begun AS (
       SELECT FROM taken WHERE next_cursor IS NULL AND result IS NULL
     ), emptied AS (
       DELETE FROM durasync.quarantined_rows
       WHERE run_id = $1 AND table_name = $2 AND EXISTS (SELECT FROM begun)
     ), shown AS (
       UPDATE durasync.sync_run_tables
       SET status = 'running', stage = 'stage', fetched = 0, staged = 0, quarantined = 0, duplicates = 0,
           error_message = NULL,
           started_at = coalesce(started_at, clock_timestamp())
       WHERE run_id = $1 AND table_name = $2 AND EXISTS (SELECT FROM begun)
     )
     SELECT relation, attempt, page, fetched, next_cursor AS "nextCursor", fetch_started_at AS "fetchStartedAt", result,
            (SELECT value FROM durasync.watermarks WHERE sync = $3 AND scope = $4 AND name = $2) AS watermark
     FROM taken`,
    [runId, table.name, table.sync, table.scope],
  );
  const [taken] = rows;
  if (!taken) throw runEnded(table);
  const relation = taken.relation || `${stagingPrefix(runId)}${taken.attempt}_${table.name}`;
  return { ...taken, runId, table, relation, isMade: taken.relation !== '' };
}

/** Makes the relation of an attempt. The run is locked, so that one that ends now drops what is made here. */
async function makeRelation(client: pg.PoolClient, db: Db, staging: StagingAttempt): Promise<void> {
  const { runId, table, relation } = staging;
  const { live, list } = liveTableSql(table);
  const open = await client.query(
    `SELECT FROM durasync.sync_runs WHERE run_id = $1 AND status = 'running' FOR SHARE`,
    [runId],
  );
  if (open.rowCount === 0) throw runEnded(table);
  const create = sql`CREATE UNLOGGED TABLE ${stagingTable(relation)} WITH (autovacuum_enabled = off) AS
    SELECT 0::integer AS position, true AS valid, ${list(table.columns)} FROM ${live} WITH NO DATA`;
  await client.query(create.compile(db).sql);
}

/**
 * Commits one page: its rows, its quarantined rows, its counts and the cursor behind it, all or nothing.
 *
 * @throws SyncFailure Fenced when a later attempt has taken over or the page is already committed, or
 * a crash of PostgreSQL has emptied staging
 */
export async function commitPage(
  { pool, db }: DatabaseConnection,
  staging: StagingAttempt,
  page: PageToCommit,
): Promise<void> {
  const makes = !staging.isMade && page.rows.length > 0;
  const work = async (client: pg.PoolClient): Promise<void> => {
    const { rowCount } = await client.query(
      `WITH counted AS (
         UPDATE durasync.staging_progress
         SET page = page + $10, next_cursor = $5, fetched = fetched + $6, quarantined = quarantined + $7,
             unreadable = unreadable + $8, relation = $11,
             drift = (SELECT coalesce(jsonb_agg(DISTINCT d), '[]') FROM jsonb_array_elements(drift || $9::jsonb) d)
         WHERE run_id = $1 AND table_name = $2 AND attempt = $3 AND page = $4
         RETURNING run_id, table_name
       ), shown AS (
         UPDATE durasync.sync_run_tables t
         SET fetched = t.fetched + $6, staged = t.staged + $6 - $7, quarantined = t.quarantined + $7
         FROM counted WHERE t.run_id = counted.run_id AND t.table_name = counted.table_name
       )
       SELECT FROM counted`,
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
        staging.isMade || makes ? staging.relation : '',
      ],
    );
    if (rowCount !== 1) throw fenced(staging.table);
    if (makes) await makeRelation(client, db, staging);
    await copyRows(client, staging, page.rows);
    await insertQuarantined(client, staging.runId, staging.table, page.quarantined);
  };
  // A crash that loses this commit also empties the unlogged rows that it counts.
  await inTransaction(pool, work, { synchronousCommit: 'off' });
  staging.isMade ||= makes;
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
 * @throws SyncFailure Fenced when a later attempt has taken over; RunEnded
 */
export async function completeStaging(
  { pool, db }: DatabaseConnection,
  staging: StagingAttempt,
  reading: Reading,
): Promise<Staged> {
  const { runId, table, relation, attempt } = staging;
  if (!staging.isMade) await inTransaction(pool, (client) => makeRelation(client, db, staging));
  return db.transaction().execute(async (tx) => {
    // A crash that loses this commit also empties the unlogged rows that it counts.
    await sql`SET LOCAL synchronous_commit = off`.execute(tx);
    await allowMemory(tx);
    const { rows: valid, kept } = await settleEqual(tx, table, relation);
    const { rows } = await sql<Pick<Staged, 'fetched' | 'quarantined' | 'unreadable' | 'drift'>>`
      SELECT p.fetched, p.quarantined, p.unreadable,
             ARRAY(SELECT jsonb_array_elements_text(p.drift) EXCEPT
                   SELECT jsonb_array_elements_text(s.drift) FROM durasync.table_state s
                   WHERE s.sync = ${table.sync} AND s.scope = ${table.scope} AND s.table_name = ${table.name}) AS drift
      FROM durasync.staging_progress p
      WHERE p.run_id = ${runId} AND p.table_name = ${table.name} AND p.attempt = ${attempt} FOR UPDATE`.execute(
      tx,
    );
    if (!rows[0]) throw fenced(table);
    const staged: Staged = {
      ...rows[0],
      ...snapshotOf(staging, reading),
      staged: kept,
      duplicates: valid - kept,
      days: await readDays(tx, table, relation),
    };
    await sql`
      WITH shown AS (
        UPDATE durasync.sync_run_tables SET staged = ${staged.staged}, duplicates = ${staged.duplicates}, stage = 'review'
        WHERE run_id = ${runId} AND table_name = ${table.name}
      )
      UPDATE durasync.staging_progress SET result = ${JSON.stringify(staged)}, relation = ${relation}
      WHERE run_id = ${runId} AND table_name = ${table.name}`.execute(tx);
    return staged;
  });
}

/**
 * Ends a table whose source shows no row, and with that its whole part of the run: there is nothing to merge. A
 * repeat gives the same.
 *
 * @throws SyncFailure Fenced when a later attempt has taken over
 */
export async function endEmpty(
  { db }: DatabaseConnection,
  staging: StagingAttempt,
  reading: Reading,
): Promise<Staged> {
  const { runId, table, attempt } = staging;
  const staged: Staged = {
    ...snapshotOf(staging, reading),
    fetched: 0,
    staged: 0,
    quarantined: 0,
    duplicates: 0,
    unreadable: 0,
    drift: [],
    ended: true,
  };
  const isOurs = sql<boolean>`EXISTS (SELECT FROM ended)`;
  const { rows } = await sql`
    WITH ended AS (
      UPDATE durasync.staging_progress SET result = ${JSON.stringify(staged)}
      WHERE run_id = ${runId} AND table_name = ${table.name} AND attempt = ${attempt} RETURNING run_id
    ), closed AS (
      ${closingTable(db, runId, table.name, 'completed', null).where(isOurs)}
    ), ${watermarkMoves(runId, table, staged, isOurs)}
    SELECT run_id FROM ended`.execute(db);
  if (rows.length === 0) throw fenced(table);
  return staged;
}

/** What is known of the snapshot that an attempt has read. */
function snapshotOf({ relation, fetchStartedAt }: StagingAttempt, { replay, ...read }: Reading) {
  const sourceFetchedAt = (replay?.fetchStartedAt ?? fetchStartedAt).toISOString();
  return { relation, sourceFetchedAt, replayOf: replay?.replayOf, ...read };
}

/** The days of staged rows, where that matters and there are any. */
async function readDays(db: Db, { day }: LiveTable, relation: string): Promise<Staged['days']> {
  if (day === null) return undefined;
  const { rows } = await sql<NonNullable<Staged['days']>>`
    SELECT min(${sql.ref(day)}) AS "from", max(${sql.ref(day)}) + 1 AS "to"
    FROM ${stagingTable(relation)} WHERE valid HAVING count(*) > 0`.execute(db);
  return rows[0];
}

const runEnded = (table: LiveTable): SyncFailure =>
  new SyncFailure('RunEnded', `${table.name}: the run has ended. Start a new one.`);

const fenced = (table: LiveTable): SyncFailure =>
  new SyncFailure(
    'Fenced',
    `${table.name}: another attempt has taken over, or PostgreSQL crashed and staging is empty. It is staged again.`,
  );

/** Removes everything that a run staged. Safe to repeat. */
export async function dropStaging(db: Db, runId: RunId): Promise<void> {
  const { rows } = await sql<{ relation: string }>`
    WITH removed AS (DELETE FROM durasync.staging_progress WHERE run_id = ${runId})
    SELECT tablename AS relation FROM pg_tables
    WHERE schemaname = 'durasync_staging' AND starts_with(tablename, ${stagingPrefix(runId)})`.execute(db);
  const relations = rows.map(({ relation }) => stagingTable(relation));
  if (relations.length > 0) await sql`DROP TABLE IF EXISTS ${sql.join(relations)}`.execute(db);
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
