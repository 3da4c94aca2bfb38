import colors from 'picocolors';
import { audit } from '../../db/audit.ts';
import {
  CorrectionError,
  correctQuarantined,
  countReplayRows,
  readReplayRows,
  type ReplayCount,
  type ReplayFilter,
  type ReplayRow,
  type ReplayState,
} from '../../db/quarantine-replay.ts';
import type { RunResult } from '../../domain/run-result.ts';
import type { Session } from '../../installation/session.ts';
import { startRun } from '../../temporal/runs.ts';
import { actor, EXIT, UsageError } from '../context.ts';
import { follow, withRunningEngines } from '../follow-run.ts';
import { count, exitCodeOf, printJson, printLine, renderResult } from '../output.ts';
import { oneRun } from './runs.ts';

interface ReplayOptions {
  readonly sync?: string;
  readonly table?: string;
  readonly run?: string;
  readonly set: readonly string[];
  readonly json?: true;
}

const isReady = ({ state }: { readonly state: ReplayState }): boolean => state === 'ready';

/** How many rows are told apart; a replay takes more. */
const ROWS_TOLD_MAX = 1_000;
const ROWS_SHOWN = 20;

/**
 * Validates quarantined rows again and merges the valid ones. Returns the exit code: 2 when none of the rows that
 * were named can be replayed, 1 when one of them is still not merged.
 */
export async function replay(ids: readonly string[], options: ReplayOptions): Promise<number> {
  const numbers = ids.map(rowNumber);
  const corrections = options.set.map(columnAndValue);
  if (corrections.length > 0 && numbers.length !== 1) {
    throw new UsageError(
      '--set needs the number of exactly one row: quarantine replay ID --set column=value',
    );
  }
  return withRunningEngines(async (session) => {
    const { db } = session.database;
    const filter: ReplayFilter = {
      ids: numbers.length > 0 ? numbers : undefined,
      sync: options.sync,
      tables: options.table === undefined ? undefined : [options.table],
      runId: options.run === undefined ? undefined : (await oneRun(db, options.run)).runId,
    };
    const wanted = await readReplayRows(db, filter, ROWS_TOLD_MAX);
    const unknown = numbers.filter((id) => !wanted.some((row) => row.id === id));
    if (unknown.length > 0) throw new UsageError(`There is no quarantined row ${unknown.join(', ')}.`);
    const [only] = wanted;
    if (corrections.length > 0 && only) await correct(session, only, Object.fromEntries(corrections));
    const counts = await countReplayRows(db, filter);
    const results: RunResult[] = [];
    for (const sync of new Set(counts.filter(isReady).map((each) => each.sync))) {
      const tables = new Set(counts.filter((each) => each.sync === sync).map(({ table }) => table));
      results.push(await replaySync(session, sync, [...tables], filter));
    }
    const told = numbers.length > 0 ? numbers : wanted.filter(isReady).map(({ id }) => id);
    const rows = await readReplayRows(db, { ids: told }, ROWS_TOLD_MAX);
    const skipped = counts.filter((each) => !isReady(each));
    if (options.json) printJson({ runs: results, rows: rows.map(rowJson), skipped: skipped.map(countJson) });
    else print(results, rows, numbers.length > 0 ? [] : skipped);
    return exitCode(results, numbers.length > 0 ? rows : []);
  });
}

async function replaySync(
  session: Session,
  sync: string,
  tables: readonly string[],
  { ids, runId }: ReplayFilter,
): Promise<RunResult> {
  const started = await startRun(session.client, {
    sync,
    kind: 'replay',
    tables,
    replay: { ids, runId },
    trigger: 'manual',
    triggeredBy: actor(),
  });
  if (!started.started) {
    throw new Error(
      `Another replay of ${sync} is under way (run ${started.runId}). Start this again when it has ended.`,
    );
  }
  await audit(session.database.db, {
    actor: actor(),
    action: 'replay',
    subject: sync,
    detail: { runId: started.runId },
  });
  return follow(session, started);
}

async function correct(session: Session, row: ReplayRow, values: Record<string, string>): Promise<void> {
  if (row.state !== 'ready') throw new UsageError(`Row ${row.id} can't be corrected: ${describeState(row)}`);
  const table = session.syncs
    .find(({ name }) => name === row.sync)
    ?.tables.find(({ name }) => name === row.table);
  const columns = Object.keys(table?.row.shape ?? {});
  const unknown = Object.keys(values).filter((column) => !columns.includes(column));
  if (unknown.length > 0) {
    throw new UsageError(`${row.table} has no column ${unknown.join(', ')}. It has: ${columns.join(', ')}.`);
  }
  await correctQuarantined(session.database.db, row.id, values, actor()).catch((error: unknown) => {
    throw error instanceof CorrectionError ? new UsageError(error.message) : error;
  });
}

/** What became of a quarantined row, or why it can't be replayed. */
export function describeState(row: Pick<ReplayRow, 'state' | 'table' | 'byRunId'>): string {
  const { state, table, byRunId } = row;
  switch (state) {
    case 'ready':
      return 'still bad';
    case 'resolved':
      return `merged by run ${byRunId}`;
    case 'unreadable':
      return 'it could not be split into columns. Mend it at the source.';
    case 'not-kept':
      return 'its values were longer than 4 kB and not kept. Mend it at the source.';
    case 'held':
      return `run ${byRunId} of ${table} waits for a decision. Decide on it first.`;
    case 'not-merged':
      return `its run merged nothing into ${table}.`;
    case 'superseded':
      return `superseded by ${byRunId}: the source has been read again since.`;
  }
}

const rowJson = (row: ReplayRow) => ({
  id: row.id,
  sync: row.sync,
  table: row.table,
  position: row.position,
  state: row.state,
  by_run_id: row.byRunId,
  reasons: row.reasons,
});

const countJson = ({ sync, table, state, byRunId, rows }: ReplayCount) => ({
  sync,
  table,
  state,
  by_run_id: byRunId,
  rows,
});

function print(
  results: readonly RunResult[],
  rows: readonly ReplayRow[],
  skipped: readonly ReplayCount[],
): void {
  for (const result of results) printLine(renderResult(result));
  if (results.length === 0) printLine('Nothing to replay.');
  for (const row of rows.slice(0, ROWS_SHOWN)) {
    const mark = row.state === 'resolved' ? colors.green('✔') : colors.yellow('!');
    const reasons = isReady(row) ? `: ${row.reasons.join('; ')}` : '';
    printLine(`${mark} row ${row.id} (${row.table}, line ${row.position}): ${describeState(row)}${reasons}`);
  }
  if (rows.length > ROWS_SHOWN) printLine(`and ${rows.length - ROWS_SHOWN} more rows`);
  for (const each of skipped) {
    printLine(
      `${colors.yellow('!')} skipped ${count(each.rows)} rows of ${each.table}: ${describeState(each)}`,
    );
  }
}

function exitCode(results: readonly RunResult[], named: readonly ReplayRow[]): number {
  const failed = results.map(exitCodeOf).find((code) => code !== EXIT.ok);
  if (failed !== undefined) return failed;
  if (named.every(({ state }) => state === 'resolved')) return EXIT.ok;
  return results.length === 0 ? EXIT.usage : EXIT.failed;
}

function rowNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`'${text}' is not the number of a quarantined row.`);
  return Number(text);
}

function columnAndValue(text: string): readonly [column: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError('--set needs column=value, such as --set rank=B');
  return [text.slice(0, at), text.slice(at + 1)];
}
