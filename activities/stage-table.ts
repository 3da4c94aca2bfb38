import { isIdle, type StageInput, type Staged } from '../src/domain/contracts.ts';
import type { Source, SourcePage } from '../src/domain/source.ts';
import type { DatabaseConnection } from '../src/db/connect.ts';
import type { LiveTable } from '../src/db/live-table.ts';
import { closeTable } from '../src/db/runs.ts';
import { moveWatermark, readWatermark } from '../src/db/watermarks.ts';
import { copyColumns, StagedRows } from '../src/db/copy-text.ts';
import { PageWriter } from '../src/db/page-writer.ts';
import type { QuarantinedRow } from '../src/db/quarantine.ts';
import { openReplay, QUARANTINE } from '../src/db/quarantine-replay.ts';
import { commitPage, completeStaging, type PageToCommit, takeOverStaging } from '../src/db/staging.ts';
import { readSettings } from '../src/settings.ts';
import type { SourceResources, TableDefinition } from '../src/syncs/define-sync.ts';
import { quickText } from '../src/syncs/quick-text.ts';
import { validateRow } from '../src/syncs/validate-row.ts';
import { type ActivityDependencies, findSync, findTable, liveTable } from './dependencies.ts';

/**
 * Reads a source to its end into a staging table. While pages are being written, the next ones are parsed.
 * Safe to repeat: an attempt goes on behind the last committed page, or begins again when the source has no
 * cursor; a table that is already staged is not read again.
 */
export async function stageTable(
  deps: ActivityDependencies,
  input: StageInput,
  signal: AbortSignal,
): Promise<Staged> {
  const { database, syncs, env, http } = deps;
  const sync = findSync(syncs, input.sync);
  const table = findTable(sync, input.table.table);
  const live = liveTable(sync, table, input.scope);
  const staging = await takeOverStaging(database, input.runId, live);
  if (staging.result) return endIfIdle(database, input, live, staging.result);
  const replay =
    input.table.source === QUARANTINE ? await openReplay(database.db, input.runId, live) : undefined;
  const settings = readSettings(sync.settings, env);
  const since = live.incremental ? await readWatermark(database.db, live) : null;
  const context = { settings, window: input.window, since, full: input.full, http, signal };
  const source =
    replay?.source ??
    (await openSource(table, { database, http, settings, keys: deps.keys, scope: input.scope }));
  let page = staging.page;
  let incomplete: string | undefined;
  const writer = new PageWriter((next) => commitPage(database.pool, staging, next));
  for await (const fetched of source.fetchPages(context, staging.nextCursor)) {
    signal.throwIfAborted();
    const checked = checkPage(table, fetched, page);
    await writer.add(replay ? asReplayed(checked) : checked);
    page += 1;
    incomplete = fetched.incomplete;
  }
  await writer.end();
  const staged = await completeStaging(database, { ...staging, ...replay?.snapshot, incomplete });
  return endIfIdle(database, input, live, staged);
}

const openSource = async (table: TableDefinition, resources: SourceResources): Promise<Source> =>
  'open' in table.source ? table.source.open(resources) : table.source;

/** A source that shows nothing new leaves nothing to review or merge: the table has ended. */
async function endIfIdle(
  { db }: DatabaseConnection,
  { runId, table }: StageInput,
  live: LiveTable,
  staged: Staged,
): Promise<Staged> {
  if (!isIdle(table, staged)) return staged;
  if (live.incremental) await moveWatermark(db, runId, live, staged.sourceFetchedAt);
  await closeTable(db, runId, live.name, 'completed', null);
  return staged;
}

/** Splits a page into rows to stage and rows to quarantine. */
function checkPage(table: TableDefinition, fetched: SourcePage, page: number): PageToCommit {
  const columns = Object.keys(table.row.shape);
  const quick = quickText(table, fetched.columns ?? []);
  const rows = new StagedRows();
  const quarantined: QuarantinedRow[] = [];
  for (const row of fetched.rows) {
    const text = row.cells ? quick(row.cells) : null;
    if (text !== null) {
      rows.add(row.position, 'valid', text);
      continue;
    }
    const verdict = validateRow(table, row);
    if (verdict.kind === 'valid') {
      rows.add(row.position, 'valid', copyColumns(columns, verdict.values));
      continue;
    }
    quarantined.push({
      position: row.position,
      raw: row.raw,
      reasons: verdict.reasons,
      unreadable: row.unreadable !== undefined,
      values: row.unreadable === undefined ? row.values : null,
    });
    if (verdict.key) rows.add(row.position, 'key', copyColumns(columns, verdict.key));
  }
  return {
    page,
    pages: 1,
    rows,
    quarantined,
    fetched: fetched.rows.length,
    unreadable: quarantined.filter((row) => row.unreadable).length,
    drift: fetched.drift ?? [],
    nextCursor: fetched.nextCursor,
  };
}

/** Rows that are in quarantine already get their newest reasons there. */
const asReplayed = (page: PageToCommit): PageToCommit => ({
  ...page,
  quarantined: page.quarantined.map((row) => ({ ...row, id: row.position })),
});
