import { sql } from 'kysely';
import type { Review, Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import { content, type LiveTable, liveTableSql, stagingTable, stateIn } from './live-table.ts';

const SAMPLE_ROWS = 10;

/** What a person sees of one reviewed table: counts, the reason of a hold, and sample rows. */
export interface ReviewShown {
  readonly reason: string | null;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows that come back from the archive. */
  readonly restored: number;
  readonly missing: number;
  /** Rows that move to the archive, missing ones and those that ended long enough ago. */
  readonly archived: number;
  readonly quarantined: number;
  readonly samples: {
    readonly inserted: readonly Record<string, unknown>[];
    readonly restored: readonly Record<string, unknown>[];
    readonly quarantined: readonly { readonly position: number; readonly reasons: readonly string[] }[];
    readonly missing: readonly Record<string, unknown>[];
    /** The key of a row, and each column that would change, before and after. */
    readonly updated: readonly {
      readonly key: Record<string, unknown>;
      readonly changes: Record<string, readonly [before: unknown, after: unknown]>;
    }[];
  };
}

interface Reviewed {
  readonly runId: RunId;
  readonly table: LiveTable;
  readonly staged: Staged;
  readonly review: Review;
  /** Rows that ended before this instant (ISO) would be archived; null for rows that never end. */
  readonly expiredBefore: string | null;
}

/**
 * Keeps counts and samples of a review beside the run's table. Row data stays in the database.
 *
 * @returns the counts
 */
export async function saveReview(db: Db, reviewed: Reviewed): Promise<ReviewShown> {
  const { runId, table, staged, review } = reviewed;
  const restored = await countRestored(db, reviewed);
  const shown: ReviewShown = {
    reason: review.reason,
    inserted: review.inserted - restored,
    updated: review.updated,
    unchanged: review.unchanged,
    restored,
    missing: review.missing,
    archived: await countArchived(db, reviewed),
    quarantined: staged.quarantined,
    samples: {
      inserted: await sampleRows(db, reviewed, 'insert'),
      restored: restored > 0 ? await sampleRows(db, reviewed, 'restore') : [],
      missing: await sampleRows(db, reviewed, 'missing'),
      updated: await sampleUpdates(db, table, staged, review),
      quarantined: await sampleQuarantined(db, runId, table),
    },
  };
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ review: JSON.stringify(shown) })
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .execute();
  return shown;
}

/** Shows in the run's counts what a plan would do. */
export async function savePlannedCounts(
  db: Db,
  { runId, table, review }: Reviewed,
  { inserted, unchanged, restored, archived }: ReviewShown,
): Promise<void> {
  const ending = table.lifecycle && review.mayArchive ? review.missing : 0;
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ inserted, updated: review.updated + ending, unchanged, restored, archived })
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .execute();
}

/** New rows of the source, alias `s`, and whether one of them is in the archive. */
function newRows({ table, staged, review }: Reviewed, which: 'insert' | 'restore'): ReturnType<typeof sql> {
  const { archive, sameKey } = liveTableSql(table);
  const isNew = compared(staged, review) ? sql`s.action = 'insert'` : sql`s.valid`;
  const inArchive = sql`EXISTS (SELECT FROM ${archive} a WHERE ${sameKey('a', 's')})`;
  const wanted = which === 'restore' ? inArchive : sql`NOT ${inArchive}`;
  return sql`${stagingTable(review.relation)} s WHERE ${isNew} ${table.archivable ? sql`AND ${wanted}` : sql``}`;
}

async function countRestored(db: Db, reviewed: Reviewed): Promise<number> {
  if (!reviewed.table.archivable || reviewed.review.inserted === 0) return 0;
  const [row] = await rowsOf(db, sql`SELECT count(*) AS count FROM ${newRows(reviewed, 'restore')}`);
  return Number(row?.['count'] ?? 0);
}

async function countArchived(db: Db, { table, review, expiredBefore }: Reviewed): Promise<number> {
  const { lifecycle } = table;
  if (!lifecycle) return review.mayArchive ? review.missing : 0;
  if (expiredBefore === null) return 0;
  const { live } = liveTableSql(table);
  const [row] = await rowsOf(
    db,
    sql`SELECT count(*) AS count FROM ${live} l WHERE ${stateIn(`l.${lifecycle.state}`, lifecycle.ended)}
        AND ${sql.ref(`l.${lifecycle.changedAt}`)} < ${expiredBefore}::timestamptz`,
  );
  return Number(row?.['count'] ?? 0);
}

async function sampleQuarantined(
  db: Db,
  runId: RunId,
  table: LiveTable,
): Promise<ReviewShown['samples']['quarantined']> {
  return db
    .selectFrom('durasync.quarantined_rows')
    .select(['position', 'reasons'])
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .orderBy('position')
    .limit(SAMPLE_ROWS)
    .execute();
}

const compared = (staged: Staged, review: Review): boolean => staged.relation !== review.relation;

async function sampleRows(
  db: Db,
  reviewed: Reviewed,
  which: 'insert' | 'restore' | 'missing',
): Promise<Record<string, unknown>[]> {
  const { table, staged, review } = reviewed;
  const { list, live, sameKey } = liveTableSql(table);
  if (which === 'missing') {
    if (!compared(staged, review)) return [];
    return rowsOf(
      db,
      sql`SELECT ${list(table.columns, 'l')} FROM ${stagingTable(review.relation)} s JOIN ${live} l
          ON ${sameKey('l', 's')} WHERE s.action = 'missing' LIMIT ${SAMPLE_ROWS}`,
    );
  }
  return rowsOf(
    db,
    sql`SELECT ${list(table.columns, 's')} FROM ${newRows(reviewed, which)} LIMIT ${SAMPLE_ROWS}`,
  );
}

async function sampleUpdates(
  db: Db,
  table: LiveTable,
  staged: Staged,
  review: Review,
): Promise<ReviewShown['samples']['updated']> {
  if (!compared(staged, review)) return [];
  const { live, sameKey } = liveTableSql(table);
  const rows = await rowsOf(
    db,
    sql`SELECT to_jsonb(l) AS before, to_jsonb(s) AS after FROM ${stagingTable(review.relation)} s JOIN ${live} l
        ON ${sameKey('l', 's')} WHERE s.action = 'update' LIMIT ${SAMPLE_ROWS}`,
  );
  return rows.map((row) => {
    const before = row['before'] as Record<string, unknown>;
    const after = row['after'] as Record<string, unknown>;
    const changed = content(table).filter((c) => JSON.stringify(before[c]) !== JSON.stringify(after[c]));
    return {
      key: Object.fromEntries(table.key.map((c) => [c, after[c]])),
      changes: Object.fromEntries(changed.map((c) => [c, [before[c], after[c]] as const])),
    };
  });
}

async function rowsOf(db: Db, query: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> {
  const { rows } = await query.execute(db);
  return rows as Record<string, unknown>[];
}
