import { sql } from 'kysely';
import type { Review, Staged } from '../domain/contracts.ts';
import type { RunId } from '../domain/ids.ts';
import type { Db } from './connect.ts';
import { content, type LiveTable, liveTableSql, stagingTable } from './live-table.ts';

const SAMPLE_ROWS = 10;

/** What a person sees of one reviewed table: counts, the reason of a hold, and sample rows. */
export interface ReviewShown {
  readonly reason: string | null;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  readonly samples: {
    readonly inserted: readonly Record<string, unknown>[];
    readonly missing: readonly Record<string, unknown>[];
    /** The key of a row, and each column that would change, before and after. */
    readonly updated: readonly {
      readonly key: Record<string, unknown>;
      readonly changes: Record<string, readonly [before: unknown, after: unknown]>;
    }[];
  };
}

/** Keeps counts and samples of a review beside the run's table. Row data stays in the database. */
export async function saveReview(
  db: Db,
  runId: RunId,
  table: LiveTable,
  staged: Staged,
  review: Review,
): Promise<void> {
  const shown: ReviewShown = {
    reason: review.reason,
    inserted: review.inserted,
    updated: review.updated,
    unchanged: review.unchanged,
    missing: review.missing,
    samples: {
      inserted: await sampleRows(db, table, staged, review, 'insert'),
      missing: await sampleRows(db, table, staged, review, 'missing'),
      updated: await sampleUpdates(db, table, staged, review),
    },
  };
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ review: JSON.stringify(shown) })
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .execute();
}

/** Shows in the run's counts what a plan would do. */
export async function savePlannedCounts(
  db: Db,
  runId: RunId,
  table: LiveTable,
  review: Review,
): Promise<void> {
  const { inserted, unchanged } = review;
  const missing = review.mayArchive ? review.missing : 0;
  const [updated, archived] = table.lifecycle ? [review.updated + missing, 0] : [review.updated, missing];
  await db
    .updateTable('durasync.sync_run_tables')
    .set({ inserted, updated, unchanged, archived })
    .where('run_id', '=', runId)
    .where('table_name', '=', table.name)
    .execute();
}

const compared = (staged: Staged, review: Review): boolean => staged.relation !== review.relation;

async function sampleRows(
  db: Db,
  table: LiveTable,
  staged: Staged,
  review: Review,
  action: 'insert' | 'missing',
): Promise<Record<string, unknown>[]> {
  const { list, live, sameKey } = liveTableSql(table);
  if (action === 'missing') {
    if (!compared(staged, review)) return [];
    return rowsOf(
      db,
      sql`SELECT ${list(table.columns, 'l')} FROM ${stagingTable(review.relation)} s JOIN ${live} l
          ON ${sameKey('l', 's')} WHERE s.action = 'missing' LIMIT ${SAMPLE_ROWS}`,
    );
  }
  const only = compared(staged, review) ? sql`action = 'insert'` : sql`valid`;
  return rowsOf(
    db,
    sql`SELECT ${list(table.columns)} FROM ${stagingTable(review.relation)} WHERE ${only} LIMIT ${SAMPLE_ROWS}`,
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
