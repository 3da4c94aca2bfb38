import type { ArchiveInput, Archived, Merged, MergeInput } from '../src/domain/contracts.ts';
import { archiveReviewed } from '../src/db/archive.ts';
import { mergeReviewed } from '../src/db/merge.ts';
import { type ActivityDependencies, findSync, findTable, liveTable } from './dependencies.ts';

/** Writes new and changed rows. Safe to repeat: a repeat returns the stored counts. */
export async function mergeStaged(
  { database, syncs }: ActivityDependencies,
  { runId, sync: syncName, table: { table }, staged, review }: MergeInput,
): Promise<Merged> {
  const sync = findSync(syncs, syncName);
  const definition = findTable(sync, table);
  return mergeReviewed(database, {
    runId,
    table: liveTable(sync, definition),
    // Rows come back from the archive also in a run that archives nothing, such as a replay.
    archives: definition.archives,
    staged,
    review,
  });
}

/** Archives rows that vanished from the source. Safe to repeat: a repeat returns the stored count. */
export async function archiveMissing(
  { database, syncs }: ActivityDependencies,
  { runId, sync: syncName, table: { table }, review, generation }: ArchiveInput,
): Promise<Archived> {
  const sync = findSync(syncs, syncName);
  return archiveReviewed(database, {
    runId,
    table: liveTable(sync, findTable(sync, table)),
    review,
    generation,
  });
}
