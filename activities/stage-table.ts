import type { StageInput, Staged } from '../src/domain/contracts.ts';
import type { TablePlan } from '../src/domain/run-plan.ts';
import type { Source, SourcePage } from '../src/domain/source.ts';
import type { LiveTable } from '../src/db/live-table.ts';
import { readMarks } from '../src/db/watermarks.ts';
import { copyColumns, StagedRows } from '../src/db/copy-text.ts';
import { PageWriter } from '../src/db/page-writer.ts';
import type { QuarantinedRow } from '../src/db/quarantine.ts';
import { openReplay, QUARANTINE } from '../src/db/quarantine-replay.ts';
import { readUpload } from '../src/db/uploads.ts';
import {
  commitPage,
  completeStaging,
  endEmpty,
  type PageToCommit,
  takeOverStaging,
} from '../src/db/staging.ts';
import { readSettings } from '../src/settings.ts';
import { columnsOf, type SourceResources, type TableDefinition } from '../src/syncs/define-sync.ts';
import { uploadOf } from '../src/syncs/configured.ts';
import { dayIn } from '../src/syncs/days.ts';
import { validateRow } from '../src/syncs/validate-row.ts';
import { writeQuickly } from '../src/syncs/write-quickly.ts';
import { type ActivityDependencies, findSync, findTable } from './dependencies.ts';
import { endUnchanged } from './review-table.ts';
import { liveTableOf } from '../src/syncs/live-table-of.ts';

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
  const live = liveTableOf(sync, table, input.scope);
  const staging = await takeOverStaging(database, input.runId, live);
  const end = (staged: Staged): Promise<Staged> => endIfUnchanged(deps, input, live, staged);
  if (staging.result) return staging.result.ended ? staging.result : end(staging.result);
  const replay =
    input.table.source === QUARANTINE ? await openReplay(database.db, input.runId, live) : undefined;
  const settings = readSettings(sync.settings, env);
  const since = live.incremental === 'whole' ? staging.watermark : null;
  const marks = live.incremental === 'parts' ? await readMarks(database.db, live) : {};
  const today = dayIn(input.timeZone, new Date(input.logicalAt));
  const context = { settings, window: input.window, since, marks, today, full: input.full, http, signal };
  const resources = { database, http, settings, keys: deps.keys, scope: input.scope };
  const source = replay?.source ?? (await openSource(table, resources, input));
  let { page, fetched: rowsFetched } = staging;
  let read: Pick<SourcePage, 'notices' | 'marks' | 'incomplete'> = {};
  const writer = new PageWriter((next) => commitPage(database, staging, next));
  for await (const fetched of source.fetchPages(context, staging.nextCursor)) {
    signal.throwIfAborted();
    read = { notices: fetched.notices, marks: fetched.marks, incomplete: fetched.incomplete };
    if (isBlank(fetched)) continue;
    const checked = checkPage(table, fetched, { page, today });
    await writer.add(replay ? asReplayed(checked) : checked);
    page += 1;
    rowsFetched += fetched.rows.length;
  }
  await writer.end();
  const reading = { ...read, replay: replay?.snapshot };
  if (rowsFetched === 0 && endsEmpty(input.table)) return endEmpty(database, staging, reading);
  return end(await completeStaging(database, staging, reading));
}

/** Whether there is nothing to keep of a page, not even where the next one begins. */
const isBlank = ({ rows, drift = [], nextCursor }: SourcePage): boolean =>
  rows.length === 0 && drift.length === 0 && nextCursor === null;

/** Whether a table ends as soon as its source shows no row: nothing is archived for that. */
const endsEmpty = ({ archives, expiredBefore }: TablePlan): boolean =>
  !archives && expiredBefore === undefined;

async function openSource(
  table: TableDefinition,
  resources: SourceResources,
  { kind, runId }: StageInput,
): Promise<Source> {
  const { source } = table;
  const uploads = kind === 'import' || 'readUpload' in source ? uploadOf(table) : undefined;
  if (uploads) {
    const upload = await readUpload(resources.database, runId);
    return { setting: uploads.setting, fetchPages: () => uploads.readUpload(upload) };
  }
  if ('readUpload' in source) throw new Error(`${table.name} has no source`);
  return 'open' in source ? source.open(resources) : source;
}

/** Looking at a larger table twice costs more than a step of its own. */
const LOOKED_AT_TWICE_MAX = 50_000;

/** What is staged may be live already: then nothing is left to merge, and the table ends here without further steps. */
async function endIfUnchanged(
  deps: ActivityDependencies,
  input: StageInput,
  live: LiveTable,
  staged: Staged,
): Promise<Staged> {
  const { kind, table } = input;
  const isQuick = live.incremental !== null || staged.staged <= LOOKED_AT_TWICE_MAX;
  const mayEnd = kind === 'sync' && isQuick && staged.drift.length === 0 && table.expiredBefore === undefined;
  const same = mayEnd ? await endUnchanged(deps, { ...input, staged }) : null;
  return same
    ? { ...staged, ended: true, notices: [...(staged.notices ?? []), ...same.notices] }
    : { ...staged, ended: false };
}

/** What quarantine shows of a row that may hold a secret. */
const NOT_KEPT = '(not kept, because it holds a secret)';

/** Splits a page into rows to stage and rows to quarantine. */
function checkPage(
  table: TableDefinition,
  fetched: SourcePage,
  { page, today }: { readonly page: number; readonly today: string },
): PageToCommit {
  const columns = columnsOf(table);
  const quickly = writeQuickly(table, fetched.columns ?? [], today);
  const rows = new StagedRows();
  const quarantined: QuarantinedRow[] = [];
  for (const row of fetched.rows) {
    if (rows.addWritten(row, quickly)) continue;
    const verdict = validateRow(table, row, today);
    if (verdict.kind === 'valid') {
      rows.add(row.position, 'valid', copyColumns(columns, verdict.values));
      continue;
    }
    quarantined.push({
      position: row.position,
      raw: table.secret ? NOT_KEPT : row.raw,
      reasons: verdict.reasons,
      unreadable: row.unreadable !== undefined,
      values: row.unreadable === undefined && !table.secret ? row.values : null,
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
