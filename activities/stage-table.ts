import type { StageInput, Staged } from '../src/domain/contracts.ts';
import type { SourcePage } from '../src/domain/source.ts';
import { copyColumns, StagedRows } from '../src/db/copy-text.ts';
import { PageWriter } from '../src/db/page-writer.ts';
import type { QuarantinedRow } from '../src/db/quarantine.ts';
import { openReplay, QUARANTINE } from '../src/db/quarantine-replay.ts';
import { commitPage, completeStaging, type PageToCommit, takeOverStaging } from '../src/db/staging.ts';
import { readSettings } from '../src/settings.ts';
import type { TableDefinition } from '../src/syncs/define-sync.ts';
import { quickText } from '../src/syncs/quick-text.ts';
import { validateRow } from '../src/syncs/validate-row.ts';
import { type ActivityDependencies, findSync, findTable, liveTable } from './dependencies.ts';

/**
 * Reads a source to its end into a staging table. While pages are being written, the next ones are parsed.
 * Safe to repeat: an attempt goes on behind the last committed page, or begins again when the source has no
 * cursor; a table that is already staged is not read again.
 */
export async function stageTable(
  { database, syncs, env, http }: ActivityDependencies,
  input: StageInput,
  signal: AbortSignal,
): Promise<Staged> {
  const sync = findSync(syncs, input.sync);
  const table = findTable(sync, input.table.table);
  const live = liveTable(sync, table);
  const staging = await takeOverStaging(database, input.runId, live);
  if (staging.result) return staging.result;
  const replay =
    input.table.source === QUARANTINE ? await openReplay(database.db, input.runId, live) : undefined;
  const settings = readSettings(sync.settings, env);
  const context = { settings, window: input.window, full: input.full, http, signal };
  let page = staging.page;
  const writer = new PageWriter((next) => commitPage(database.pool, staging, next));
  for await (const fetched of (replay?.source ?? table.source).fetchPages(context, staging.nextCursor)) {
    signal.throwIfAborted();
    const checked = checkPage(table, fetched, page);
    await writer.add(replay ? asReplayed(checked) : checked);
    page += 1;
  }
  await writer.end();
  return completeStaging(database, { ...staging, ...replay?.snapshot });
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
