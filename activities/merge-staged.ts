import {
  archivesMissing,
  archivesNext,
  type ArchiveInput,
  type Archived,
  type Merged,
  type MergeInput,
} from '../src/domain/contracts.ts';
import { archiveReviewed } from '../src/db/archive.ts';
import { mergeReviewed } from '../src/db/merge.ts';
import { closeTable } from '../src/db/runs.ts';
import { moveWatermarks } from '../src/db/watermarks.ts';
import { type ActivityDependencies, findSync, findTable } from './dependencies.ts';
import { liveTableOf } from '../src/syncs/live-table-of.ts';

/** Writes new and changed rows; the table has ended when there is nothing to archive. Safe to repeat: a repeat returns the stored counts. */
export async function mergeStaged(
  { database, syncs }: ActivityDependencies,
  { runId, sync: syncName, scope, table, staged, review }: MergeInput,
): Promise<Merged> {
  const sync = findSync(syncs, syncName);
  const definition = findTable(sync, table.table);
  const live = liveTableOf(sync, definition, scope);
  const merged = await mergeReviewed(database, {
    runId,
    table: live,
    // Rows come back from the archive also in a run that archives nothing, such as a replay.
    archives: definition.archives !== false,
    days: table.days ?? null,
    staged,
    review,
  });
  if (merged.outcome !== 'merged') return merged;
  await moveWatermarks(database.db, runId, live, staged);
  if (!archivesNext(table, review)) await closeTable(database.db, runId, table.table, 'completed', null);
  return merged;
}

/** Archives rows that vanished from the source or ended long enough ago. Safe to repeat: a repeat returns the stored count. */
export async function archiveMissing(
  { database, syncs }: ActivityDependencies,
  { runId, sync: syncName, scope, table, staged, review, generation }: ArchiveInput,
): Promise<Archived> {
  const sync = findSync(syncs, syncName);
  const archived = await archiveReviewed(database, {
    runId,
    table: liveTableOf(sync, findTable(sync, table.table), scope),
    missing: archivesMissing(table, review) ? { relation: review.relation, rows: review.missing } : null,
    expiredBefore: table.expiredBefore ?? null,
    days: table.days ?? staged.days ?? null,
    generation,
  });
  if (archived.outcome !== 'lost') await closeTable(database.db, runId, table.table, 'completed', null);
  return archived;
}
