import { type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import type { RunId } from '../domain/ids.ts';
import type { UndoConflict, UndoTable } from '../domain/undo.ts';
import type { Db } from './connect.ts';
import { runOn, type UndoneTable, undoSql } from './undo-tables.ts';

const CONFLICTS_SHOWN = 50;

/** What undoing one live table would do. */
export interface CheckedTable extends UndoTable {
  readonly conflicts: readonly UndoConflict[];
  readonly conflictCount: number;
  /** False when what the run replaced is not kept, or no longer. */
  readonly kept: boolean;
}

/** Looks at the rows that a run wrote into one live table: how many there are, and which were changed since. */
export async function checkTable(
  client: pg.PoolClient,
  db: Db,
  undone: UndoneTable,
  of: RunId,
): Promise<CheckedTable> {
  const { table, counted, archiveColumns } = undone;
  const { live, archive, images } = undoSql(undone, of);
  const archived = archiveColumns
    ? sql`SELECT count(*) FILTER (WHERE archived_run_id = ${of}) AS archived,
                 count(*) FILTER (WHERE archived_run_id = ${of} AND first_run_id IS DISTINCT FROM ${of}) AS unarchived,
                 count(*) FILTER (WHERE first_run_id = ${of}) AS inserted FROM ${archive}`
    : sql`SELECT 0::bigint AS archived, 0::bigint AS unarchived, 0::bigint AS inserted`;
  const { rows } = await runOn<{
    inserted: number;
    archived: number;
    unarchived: number;
    updated: number;
    restored: number;
  }>(
    client,
    db,
    sql`SELECT l.inserted + a.inserted AS inserted, a.archived, a.unarchived,
               (SELECT count(*) FROM ${images('updated')} i) AS updated,
               (SELECT count(*) FROM ${images('restored')} i) AS restored
        FROM (SELECT count(*) AS inserted FROM ${live} WHERE first_run_id = ${of}) l, (${archived}) a`,
  );
  const found = rows[0] ?? { inserted: 0, archived: 0, unarchived: 0, updated: 0, restored: 0 };
  const lost = Math.max(0, counted.archived - found.archived);
  const { conflicts, total } = await readConflicts(client, db, undone, of, lost > 0);
  return {
    table: table.live,
    removed: found.inserted,
    put_back: found.updated,
    unarchived: found.unarchived,
    archived_again: found.restored,
    gone: Math.max(0, counted.inserted - found.inserted),
    conflicts:
      lost > 0 && total === 0
        ? [
            {
              table: table.live,
              key: {},
              reason: `${lost} rows that it archived are no longer in the archive`,
            },
          ]
        : conflicts,
    conflictCount: lost > 0 && total === 0 ? lost : total,
    kept: found.updated >= counted.updated && found.restored >= counted.restored,
  };
}

async function readConflicts(
  client: pg.PoolClient,
  db: Db,
  undone: UndoneTable,
  of: RunId,
  someCameBack: boolean,
): Promise<{ conflicts: UndoConflict[]; total: number }> {
  const all = [
    changedSince(undone, of),
    broughtBackSince(undone, of),
    insertedAndChangedSince(undone, of),
    ...(undone.table.shownBy === null ? [] : [shownByOthers(undone, undone.table.shownBy.column, of)]),
    ...(undone.table.settledIn === null ? [] : [settledSince(undone, undone.table.settledIn, of)]),
    ...(undone.archiveColumns ? [archivedSince(undone, of), liveAgain(undone, of)] : []),
    ...(someCameBack ? [unarchivedSince(undone, of)] : []),
  ];
  const { rows } = await runOn<{ key: Record<string, unknown>; reason: string; total: number }>(
    client,
    db,
    sql`SELECT key, reason, count(*) OVER () AS total FROM (${sql.join(all, sql` UNION ALL `)}) c
        ORDER BY reason, key LIMIT ${CONFLICTS_SHOWN}`,
  );
  return {
    conflicts: rows.map(({ key, reason }) => ({ table: undone.table.live, key, reason })),
    total: rows[0]?.total ?? 0,
  };
}

const byRun = (run: RawBuilder<unknown>, what = 'changed by run '): RawBuilder<unknown> =>
  sql`${what}::text || coalesce(${run}, 'that is unknown')`;
const byPerson = (columns: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`'a person changed ' || array_to_string(${columns}, ', ')`;

/** Where the rows are that the run left behind: a row may have been changed and archived by one run. */
function whereabouts({ archiveColumns }: UndoneTable, of: RunId, fragments: ReturnType<typeof undoSql>) {
  const { live, archive, columns } = fragments;
  return archiveColumns
    ? sql`(SELECT ${columns} FROM ${live} UNION ALL SELECT ${columns} FROM ${archive} WHERE archived_run_id = ${of})`
    : sql`${live}`;
}

/** Why a row is not where the run left it. */
function goneReason({ archiveColumns }: UndoneTable, { archive, sameKey }: ReturnType<typeof undoSql>) {
  const nowhere = sql`'is no longer there'::text`;
  if (!archiveColumns) return nowhere;
  const movedBy = sql`(SELECT x.archived_run_id FROM ${archive} x WHERE ${sameKey('x', 'b')})`;
  return sql`coalesce('archived by run ' || ${movedBy}, ${nowhere})`;
}

function changedSince(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const fragments = undoSql(undone, of);
  const { keyOf, has, images, sameKey, changedSince: changed } = fragments;
  return sql`
    SELECT ${keyOf('b')} AS key,
           CASE WHEN NOT ${has('l')} THEN ${goneReason(undone, fragments)}
                WHEN l.last_run_id IS DISTINCT FROM ${of} THEN ${byRun(sql`l.last_run_id`)}
                ELSE ${byPerson(changed)} END AS reason
    FROM ${images('updated')} b LEFT JOIN ${whereabouts(undone, of, fragments)} l ON ${sameKey('l', 'b')}
    WHERE NOT ${has('l')} OR l.last_run_id IS DISTINCT FROM ${of} OR ${changed} IS NOT NULL`;
}

function broughtBackSince(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const fragments = undoSql(undone, of);
  const { keyOf, has, images, live, sameKey, changedSince: changed } = fragments;
  const other = sql`(l.last_run_id IS DISTINCT FROM ${of} AND l.last_run_id IS DISTINCT FROM b.last_run_id)`;
  return sql`
    SELECT ${keyOf('b')} AS key,
           CASE WHEN NOT ${has('l')} THEN ${goneReason(undone, fragments)}
                WHEN ${other} THEN ${byRun(sql`l.last_run_id`)} ELSE ${byPerson(changed)} END AS reason
    FROM ${images('restored')} b LEFT JOIN ${live} l ON ${sameKey('l', 'b')}
    WHERE NOT ${has('l')} OR ${other} OR ${changed} IS NOT NULL`;
}

function insertedAndChangedSince(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const { keyOf, images, live, sameKey, changedSinceInserted: changed } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('l')} AS key,
           CASE WHEN l.last_run_id IS DISTINCT FROM ${of} THEN ${byRun(sql`l.last_run_id`)}
                ELSE ${byPerson(changed)} END AS reason
    FROM ${live} l LEFT JOIN ${images('inserted')} b ON ${sameKey('l', 'b')}
    WHERE l.first_run_id = ${of} AND (l.last_run_id IS DISTINCT FROM ${of} OR ${changed} IS NOT NULL)`;
}

/** A row that another source has shown as well, which would show it again. */
function shownByOthers(undone: UndoneTable, column: string, of: RunId): RawBuilder<unknown> {
  const { keyOf, live } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('l')} AS key, 'another source has shown it too'::text AS reason
    FROM ${live} l WHERE l.first_run_id = ${of} AND cardinality(${sql.ref(`l.${column}`)}) > 1`;
}

/** A row that a person has dealt with, so that it moved on with what was known of it. */
function settledSince(undone: UndoneTable, settledIn: string, of: RunId): RawBuilder<unknown> {
  const { keyOf } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('l')} AS key, 'a person moved it to ' || ${settledIn}::text AS reason
    FROM ${sql.table(`${undone.table.schema}.${settledIn}`)} l
    WHERE to_jsonb(l) -> 'snapshot' ->> 'first_run_id' = ${of}`;
}

function archivedSince(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const { archive, keyOf } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('l')} AS key, ${byRun(sql`l.archived_run_id`, 'archived by run ')} AS reason
    FROM ${archive} l WHERE l.first_run_id = ${of} AND l.archived_run_id <> ${of}`;
}

function liveAgain(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const { archive, keyOf, live, sameKey } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('l')} AS key, ${byRun(sql`l.first_run_id`, 'inserted again by run ')} AS reason
    FROM ${archive} a JOIN ${live} l ON ${sameKey('l', 'a')}
    WHERE a.archived_run_id = ${of} AND a.first_run_id IS DISTINCT FROM ${of}`;
}

function unarchivedSince(undone: UndoneTable, of: RunId): RawBuilder<unknown> {
  const { keyOf, live } = undoSql(undone, of);
  return sql`
    SELECT ${keyOf('b')} AS key, 'brought back by run ' || c.run_id AS reason
    FROM durasync.row_changes c JOIN durasync.sync_runs r USING (run_id),
         jsonb_populate_record(NULL::${live}, c.before) b
    WHERE c.change = 'restored' AND c.table_name = ANY (${undone.writers}) AND r.sync = ${undone.table.sync}
      AND r.status <> 'undone' AND c.before ->> 'archived_run_id' = ${of}`;
}
