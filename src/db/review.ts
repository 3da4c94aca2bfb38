import { type RawBuilder, sql } from 'kysely';
import type { Review, Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Guards, TablePlan } from '../domain/run-plan.ts';
import { allowMemory, type Db } from './connect.ts';
import { type LiveTable, liveTableSql, stagingTable, stateIn, stillStaged } from './live-table.ts';
import { unreadableLinesAreKnown } from './quarantine.ts';
import { isShown } from './shown-by.ts';
import { readTableState, type TableState } from './table-state.ts';

export interface ReviewRequest {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly staged: Staged;
  readonly guards: Guards;
  readonly archives: boolean;
  /** The days that the source shows whole; null when it shows all rows, or these days are for the rows to tell. */
  readonly days: NonNullable<TablePlan['days']> | null;
}

interface Differences {
  readonly relation: string;
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly missing: number;
}

/**
 * Compares a staged table with the live one and lets the guards decide. The generation is read before the
 * rows are: whoever changes the live table after that makes the merge find another generation.
 * Safe to repeat; each repeat makes a relation of its own.
 *
 * @param attempt distinguishes the relations of repeated reviews
 */
export async function reviewStaged(db: Db, request: ReviewRequest, attempt: number): Promise<Review> {
  const state = await readState(db, request);
  const live = await countLive(db, request);
  const relation = `${request.staged.relation}_c${state.generation}_${attempt}`;
  const differences =
    live.isEmpty && request.table.settledIn === null
      ? allNew(request.staged)
      : await db.transaction().execute((tx) => compare(tx, request, relation));
  return decide(db, request, { state, live, differences });
}

/**
 * Reviews a staged table of which the live one shows everything already, as `reviewStaged` does but without writing
 * anything. Safe to repeat.
 *
 * @returns null when something differs
 */
export async function reviewUnchanged(db: Db, request: ReviewRequest): Promise<Review | null> {
  const state = await readState(db, request);
  if (await showsSomethingNew(db, request)) return null;
  const differences = {
    relation: request.staged.relation,
    inserted: 0,
    updated: 0,
    skipped: await countSkipped(db, request, 0),
    missing: 0,
  };
  return decide(db, request, { state, live: await countLive(db, request), differences });
}

const readState = (db: Db, { table, days, staged }: ReviewRequest): Promise<TableState> =>
  readTableState(db, table, days ?? staged.days ?? null);

interface Compared {
  readonly state: TableState;
  readonly live: LiveCount;
  readonly differences: Differences;
}

async function decide(
  db: Db,
  request: ReviewRequest,
  { state, live, differences }: Compared,
): Promise<Review> {
  const { table, staged } = request;
  const { generation, mergedRunId, sourceFetchedAt } = state;
  const decided = { ...differences, generation };
  // Asked after the comparison: what was compared is what was staged.
  const { rows } = await stillStaged(request.runId, table, staged.relation).execute(db);
  if (rows.length === 0) return review(decided, staged, { verdict: 'lost', reason: null });
  const isOlder = sourceFetchedAt !== null && sourceFetchedAt > new Date(staged.sourceFetchedAt);
  if (isOlder && mergedRunId !== request.runId && table.ordered) {
    return review(decided, staged, { verdict: 'older', reason: `older than ${mergedRunId}` });
  }
  const reason = holdReason(request, live.open, differences.missing);
  const mayArchive =
    staged.unreadable === 0 ||
    (await unreadableLinesAreKnown(db, request.runId, table.sync, table.name, staged.unreadable));
  return review(decided, staged, {
    verdict: reason ? 'hold' : 'pass',
    reason,
    mayArchive,
    notices: [...notices(request, live.open, mayArchive), ...equals(request, differences)],
  });
}

function review(
  decided: Differences & { generation: number },
  staged: Staged,
  verdict: Pick<Review, 'verdict' | 'reason'> & Partial<Pick<Review, 'mayArchive' | 'notices'>>,
): Review {
  return {
    mayArchive: false,
    notices: [],
    ...decided,
    ...verdict,
    rows: decided.inserted + decided.updated,
    unchanged: staged.staged - decided.inserted - decided.updated - decided.skipped,
  };
}

/** An empty live table needs no comparison: all valid rows are merged from the staging table itself. */
function allNew(staged: Staged): Differences {
  return { relation: staged.relation, inserted: staged.staged, updated: 0, skipped: 0, missing: 0 };
}

interface LiveCount {
  /** Rows that the source is expected to show. */
  readonly open: number;
  /** No row is live, and none in the archive has to stay there. */
  readonly isEmpty: boolean;
}

const NOT_COUNTED: LiveCount = { open: 0, isEmpty: false };

async function countLive(db: Db, { table, days }: ReviewRequest): Promise<LiveCount> {
  // The live table of an incremental source holds far more than one run shows.
  if (table.incremental) return NOT_COUNTED;
  const { live, archive } = liveTableSql(table);
  const { lifecycle } = table;
  if (table.day !== null) {
    const ofDays = days
      ? sql`SELECT FROM ${live} l WHERE ${isOpen(table)} AND ${isOf(table, days)}`
      : sql`SELECT LIMIT 0`;
    const { rows } = await sql<LiveCount>`
      SELECT (SELECT count(*) FROM (${ofDays}) d) AS open, NOT EXISTS (SELECT FROM ${live}) AS "isEmpty"`.execute(
      db,
    );
    return rows[0] ?? NOT_COUNTED;
  }
  const { rows } = await sql<LiveCount>`
    SELECT count(*) FILTER (WHERE ${isOpen(table)}) AS open,
           count(*) = 0 AND ${lifecycle ? sql`NOT EXISTS (SELECT FROM ${archive})` : sql`true`} AS "isEmpty"
    FROM ${live} l`.execute(db);
  return rows[0] ?? NOT_COUNTED;
}

/** Whether a live row has not ended, and the source of the table shows it. */
const isOpen = (table: LiveTable): RawBuilder<boolean> =>
  table.lifecycle
    ? sql<boolean>`NOT ${stateIn(`l.${table.lifecycle.state}`, table.lifecycle.ended)}`
    : isShown(table, 'l');

/** Whether a live row is of these days. Literals, because CREATE TABLE AS takes no parameters. */
const isOf = ({ day }: LiveTable, { from, to }: NonNullable<TablePlan['days']>): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(`l.${day}`)} >= ${sql.lit(from)}::date AND ${sql.ref(`l.${day}`)} < ${sql.lit(to)}::date`;

/** Whether a live row that the source did not show is missing, and not only newer than the snapshot. */
function isMissing(table: LiveTable, { sourceFetchedAt }: Staged): RawBuilder<boolean> {
  if (!table.rowwise) return isOpen(table);
  const seenAt = sql.ref(`l.${table.version}`);
  return sql<boolean>`${isOpen(table)} AND ${seenAt} < ${sql.lit(sourceFetchedAt)}::timestamptz`;
}

/** Whether a row of the source has ended and was archived before, so that it stays there. */
function staysArchived(table: LiveTable): RawBuilder<boolean> {
  const { lifecycle } = table;
  if (!lifecycle) return sql<boolean>`false`;
  const { archive, sameKey } = liveTableSql(table);
  return sql<boolean>`(NOT ${stateIn(`s.${lifecycle.state}`, lifecycle.returns)}
                       AND EXISTS (SELECT FROM ${archive} a WHERE ${sameKey('a', 's')}))`;
}

/** Pairs of a staged row `s` and its live row `l` that differ, or lack one of the two. */
function fromDiffering({ table, staged, archives, days }: ReviewRequest): RawBuilder<unknown> {
  const { live: whole, sameKey, writes } = liveTableSql(table);
  const live = days ? sql`(SELECT * FROM ${whole} l WHERE ${isOf(table, days)})` : whole;
  const join = archives && !staged.incomplete ? sql`FULL JOIN` : sql`LEFT JOIN`;
  const isNew = sql`${sql.ref(`l.${table.key[0]}`)} IS NULL`;
  return sql`
    FROM ${stagingTable(staged.relation)} s ${join} ${live} l ON ${sameKey('s', 'l')}
    WHERE (s.position IS NULL AND ${isMissing(table, staged)})
       OR (s.valid AND ${writes('s', 'l')} AND NOT (${isNew} AND ${staysArchived(table)}))`;
}

/** Writes the rows that differ into a relation of their own: the merge then touches nothing else. */
async function compare(db: Db, request: ReviewRequest, relation: string): Promise<Differences> {
  const { table } = request;
  const firstKey = sql.ref(`l.${table.key[0]}`);
  const columns = sql.join(
    table.columns.map((column) =>
      table.key.includes(column)
        ? sql`coalesce(${sql.ref(`s.${column}`)}, ${sql.ref(`l.${column}`)}) AS ${sql.ref(column)}`
        : sql.ref(`s.${column}`),
    ),
  );
  await allowMemory(db);
  await sql`DROP TABLE IF EXISTS ${stagingTable(relation)}`.execute(db);
  await sql`
    CREATE UNLOGGED TABLE ${stagingTable(relation)} AS
    SELECT CASE WHEN s.position IS NULL THEN 'missing' WHEN ${firstKey} IS NULL THEN 'insert' ELSE 'update' END
             AS action, true AS valid, ${columns}
    ${fromDiffering(request)}`.execute(db);
  const { rows } = await sql<{ action: string; count: number }>`
    SELECT action, count(*) FROM ${stagingTable(relation)} GROUP BY action`.execute(db);
  const count = (action: string): number => rows.find((row) => row.action === action)?.count ?? 0;
  const [inserted, updated] = [count('insert'), count('update')];
  const skipped = await countSkipped(db, request, inserted);
  return { relation, inserted, updated, skipped, missing: count('missing') };
}

/** Rows that are left out because of what is live or done with already. */
async function countSkipped(db: Db, { table, staged }: ReviewRequest, inserted: number): Promise<number> {
  if (table.existing === 'skip') return staged.staged - inserted;
  if (table.settledIn === null) return 0;
  const { live, sameKey, settled } = liveTableSql(table);
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) FROM ${stagingTable(staged.relation)} s
    WHERE s.valid AND ${settled('s')} AND NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey('l', 's')})`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** Whether merging would write a row, or one is missing. */
async function showsSomethingNew(db: Db, request: ReviewRequest): Promise<boolean> {
  const { rows } = await sql`SELECT ${fromDiffering(request)} LIMIT 1`.execute(db);
  return rows.length > 0;
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** Why a person has to look before this is merged, or null. */
function holdReason(
  { guards, staged, archives, table }: ReviewRequest,
  live: number,
  missing: number,
): string | null {
  if (archives && live > 0 && staged.fetched === 0) {
    return `${table.name}: the source shows 0 rows, but ${live} are live.`;
  }
  if (archives && live > 0 && missing / live > guards.missingShare) {
    return (
      `${table.name}: ${missing} of ${live} live rows (${percent(missing / live)}) are missing from the source; ` +
      `the guard allows ${percent(guards.missingShare)}.`
    );
  }
  if (staged.fetched > 0 && staged.quarantined / staged.fetched > guards.quarantineShare) {
    return (
      `${table.name}: ${staged.quarantined} of ${staged.fetched} rows (${percent(staged.quarantined / staged.fetched)}) ` +
      `are quarantined; the guard allows ${percent(guards.quarantineShare)}.`
    );
  }
  return null;
}

function notices({ guards, staged, table }: ReviewRequest, live: number, mayArchive: boolean): string[] {
  const found: string[] = [];
  if (live > 0 && staged.staged > live * (1 + guards.growthShare)) {
    found.push(`${table.name}: the source shows ${staged.staged} rows, ${live} were live before.`);
  }
  if (staged.incomplete) found.push(`${table.name}: ${staged.incomplete}`);
  if (!mayArchive) {
    found.push(
      `${table.name}: nothing is archived this time, because ${staged.unreadable} lines are unreadable.`,
    );
  }
  if (staged.drift.length > 0) {
    found.push(`${table.name}: the source has columns that are not loaded: ${staged.drift.join(', ')}.`);
  }
  return found;
}

/** A file's rows that equal live ones are taken for the same ones, which only who has the file can judge. */
function equals({ table, staged, days }: ReviewRequest, { inserted }: Differences): string[] {
  const same = staged.staged - inserted;
  if (table.ordinal === null || days || same === 0) return [];
  return [
    `${table.name}: ${same} of ${staged.staged} rows equal ones that are there already, and count once. ` +
      `If they are others of their kind, put all rows of their days into one file.`,
  ];
}
