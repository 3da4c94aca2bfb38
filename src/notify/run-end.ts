import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import type { RunResult } from '../domain/run-result.ts';
import { type Message, openParts, raiseCause, resolveCause, tell } from './causes.ts';

/** What is known of a run besides its result. */
export interface EndedSyncRun {
  readonly result: RunResult;
  /** '' when the sync is one whole. */
  readonly scope: string;
  /** How people call it: 'fleet', or 'commerce: shopify main of acme'. Only asked for when there is something to say. */
  readonly readTitle: () => Promise<string>;
  /** Whether people want to hear of completed runs. */
  readonly tellCompleted: boolean;
  /** A failed backfill is for whoever started it: it says nothing about the sync. */
  readonly isBackfill: boolean;
  /** Notices that every run has, which nobody needs to be told. */
  readonly routine: RegExp | undefined;
}

const CAUSES = ['held', 'run', 'unusual'] as const;

/** The cause of what is to be said of the runs of a sync, or of one scope of it. */
const causeOf = (what: (typeof CAUSES)[number], sync: string, scope: string): string =>
  `${what}:${sync}${scope === '' ? '' : `:${scope}`}`;

/**
 * Writes what people should hear of a run that has just ended, or of a hold that was just decided on: failures and
 * recoveries, holds and decisions, what is unusual, and completions where they are wanted. Call it once for each
 * change of the run's status, in the transaction that changes it.
 *
 * @returns whether there is something to send
 */
export async function reportRunEnd(tx: Db, ended: EndedSyncRun): Promise<boolean> {
  const { result, scope, tellCompleted } = ended;
  const causes = CAUSES.map((what) => causeOf(what, result.sync, scope));
  const run = { ...ended, open: await openParts(tx, causes) };
  const held = await reportHolds(tx, run);
  if (run.isBackfill) return held;
  const told = [held, await reportFailures(tx, run), await reportUnusual(tx, run)];
  if (tellCompleted && result.status === 'completed') {
    const { title, body } = completedMessage(run, await run.readTitle());
    told.push(await tell(tx, { cause: `completed:${result.run_id}`, kind: 'completed', title, body }));
  }
  return told.includes(true);
}

interface ReportedRun extends EndedSyncRun {
  /** The parts of each of its causes that is open. */
  readonly open: ReadonlyMap<string, readonly string[]>;
}

/** The part that stands for a run as a whole. */
const WHOLE = 'the run';

/** What failed stays wrong until a run shows that it works again: one of other tables says nothing about it. */
async function reportFailures(tx: Db, run: ReportedRun): Promise<boolean> {
  const { result, scope, open } = run;
  if (result.status === 'cancelled') return false;
  const cause = causeOf('run', result.sync, scope);
  const tables = result.tables.map(({ table, status }) => ({ part: table, failed: status === 'failed' }));
  const steps = [...result.enrich, ...result.derive];
  const seen = [...tables, ...steps.map(({ step, success }) => ({ part: step, failed: !success }))];
  const failed = seen.filter((each) => each.failed).map(({ part }) => part);
  if (result.status === 'failed' && failed.length === 0) failed.push(WHOLE);
  if (!open.has(cause) && failed.length === 0) return false;
  const title = await run.readTitle();
  const before = open.get(cause) ?? [];
  const shown = new Set([WHOLE, ...seen.map(({ part }) => part)]);
  const parts = [...new Set([...before.filter((part) => !shown.has(part)), ...failed])];
  if (parts.length > 0) {
    return raiseCause(tx, { cause, kind: 'failed', parts, ...failedMessage(run, title, failed) });
  }
  return resolveCause(tx, cause, {
    title: `${title} has recovered`,
    body: [`What had failed works again: ${before.join(', ')}.`, footer(run)].join('\n'),
  });
}

function failedMessage(run: EndedSyncRun, title: string, failed: readonly string[]): Message {
  const { result } = run;
  const lines = [
    ...result.tables.filter(({ status }) => status === 'failed').map(({ table, error }) => [table, error]),
    ...[...result.enrich, ...result.derive]
      .filter(({ success }) => !success)
      .map(({ step, summary }) => [step, summary]),
  ].map(([part, text]) => `- ${part}: ${text ?? 'no reason given'}`);
  return {
    title:
      result.status === 'failed'
        ? `${title} failed`
        : `${title}: ${failed.join(', ')} failed, the rest did not`,
    body: [...shortened(lines.length > 0 ? lines : [result.error_message ?? '']), footer(run)].join('\n'),
  };
}

/** A sync waits for a decision as long as a table of any of its runs does. */
async function reportHolds(tx: Db, run: ReportedRun): Promise<boolean> {
  const { result, scope, open } = run;
  const cause = causeOf('held', result.sync, scope);
  if (!open.has(cause) && result.status !== 'held') return false;
  const title = await run.readTitle();
  const { rows } = await sql<{ table_name: string }>`
    SELECT DISTINCT t.table_name FROM durasync.sync_runs r JOIN durasync.sync_run_tables t USING (run_id)
    WHERE r.sync = ${result.sync} AND coalesce(r.scope, '') = ${scope} AND r.status = 'held' AND t.status = 'held'
    ORDER BY 1`.execute(tx);
  if (rows.length === 0) {
    return resolveCause(tx, cause, {
      title: `${title} waits for no decision any more`,
      body: [`The run is ${result.status}. ${result.error_message ?? ''}`.trim(), footer(run)].join('\n'),
    });
  }
  if (result.status !== 'held') return false;
  const held = result.tables.filter(({ status }) => status === 'held');
  return raiseCause(tx, {
    cause,
    kind: 'held',
    parts: rows.map(({ table_name: table }) => table),
    title: `${title} waits for a decision: ${held.map(({ table }) => table).join(', ')}`,
    body: [
      ...shortened(held.map(({ error, table }) => `- ${error ?? table}`)),
      `Nothing of it is merged until somebody decides: npx durasync runs approve ${result.run_id} (or reject).`,
      footer(run),
    ].join('\n'),
  });
}

/** Growth, new columns, addresses that are not found: told once, until it is another fact or another table. */
async function reportUnusual(tx: Db, run: ReportedRun): Promise<boolean> {
  const { result, scope, routine, open } = run;
  if (result.status === 'cancelled') return false;
  const cause = causeOf('unusual', result.sync, scope);
  const notices = result.notices.filter((notice) => !routine?.test(notice));
  const tables = new Set(result.tables.map(({ table }) => table));
  if (!open.has(cause) && notices.length === 0) return false;
  const before = open.get(cause) ?? [];
  const kept = before.filter((part) => !tables.has(part.split(':')[0] ?? '') && part.includes(':'));
  const parts = [...new Set([...kept, ...notices.map(withoutNumbers)])];
  if (parts.length === 0) return resolveCause(tx, cause, null);
  const title = await run.readTitle();
  return raiseCause(tx, {
    cause,
    kind: 'unusual',
    parts,
    title:
      notices.length === 1 && notices[0] !== undefined && notices[0].length <= TITLE_MAX
        ? `${title}: ${notices[0]}`
        : `${title}: ${notices.length === 1 ? 'something is' : `${notices.length} things are`} unusual`,
    body: [...shortened(notices.map((notice) => `- ${notice}`)), footer(run)].join('\n'),
  });
}

/** The same fact with other counts is the same fact; that of another day is not. */
const withoutNumbers = (notice: string): string =>
  notice.replaceAll(/(\d{4}-\d\d-\d\d)|\d[\d,.:]*/g, (_found, day?: string) => day ?? '#');

function completedMessage(run: EndedSyncRun, title: string): Message {
  const { result } = run;
  const rows = result.total_rows_processed.toLocaleString('en');
  const lines = result.tables.map(
    (table) =>
      `- ${table.table}: ${table.rows_processed} rows, ${table.inserted} new, ${table.updated} changed, ` +
      `${table.archived} archived, ${table.quarantined} quarantined`,
  );
  return {
    title: `${title} completed: ${rows} rows in ${result.duration_seconds ?? 0} s`,
    body: [...shortened(lines), footer(run)].join('\n'),
  };
}

const TITLE_MAX = 140;
const LINES_MAX = 12;
const LINE_MAX = 400;

function shortened(lines: readonly string[]): string[] {
  const cut = lines.map((line) => (line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)} …` : line));
  return cut.length <= LINES_MAX ? cut : [...cut.slice(0, LINES_MAX), `… and ${cut.length - LINES_MAX} more`];
}

const footer = ({ result }: EndedSyncRun): string =>
  `Run ${result.run_id}, started ${result.start_time}. Look at it with: npx durasync runs show ${result.run_id}`;
