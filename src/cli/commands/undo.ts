import colors from 'picocolors';
import type { UndoConflict, UndoTable } from '../../domain/undo.ts';
import { readUndoOffer, requestUndo, type UndoOffer } from '../../installation/undo-run.ts';
import { actor, EXIT, UsageError } from '../context.ts';
import { follow, withRunningEngines } from '../follow-run.ts';
import { count, exitCodeOf, printJson, printLine, renderResult, renderTable } from '../output.ts';
import { oneRun } from './runs.ts';

interface UndoOptions {
  readonly reason?: string;
  readonly dryRun?: true;
  readonly pauseSchedule?: true;
  readonly json?: true;
}

/** Takes back what a run wrote, or with `dryRun` shows what that would do. Returns the exit code. */
export async function undo(id: string, options: UndoOptions): Promise<number> {
  return withRunningEngines(async (session) => {
    const { runId } = await oneRun(session.database.db, id);
    const offer = await readUndoOffer(session, runId);
    if (!offer) throw new UsageError(`There is no run ${runId}.`);
    if (offer.refusal !== null || options.dryRun) {
      if (options.json) printJson(offer);
      else printOffer(offer);
      return offer.refusal === null ? EXIT.ok : EXIT.failed;
    }
    const { reason, pauseSchedule = false } = options;
    const by = { actor: actor() };
    const result = await follow(
      session,
      await requestUndo(session, by, offer, { reason, pause: pauseSchedule }),
    );
    if (options.json) {
      printJson({ ...result, undo: offer });
      return exitCodeOf(result);
    }
    printTables(offer.tables);
    printLine(renderResult(result));
    if (exitCodeOf(result) === EXIT.ok) printLine(pauseSchedule ? resumeHint(offer) : nextRun(offer));
    return exitCodeOf(result);
  });
}

function printOffer(offer: UndoOffer): void {
  if (offer.tables.length > 0) printTables(offer.tables);
  for (const { name, value } of offer.watermarks)
    printLine(`${name} goes back to ${value ?? 'its beginning'}`);
  if (offer.refusal === null) {
    printLine(`Nothing was changed. Undo it with: npx durasync runs undo ${offer.run_id}`);
    return printLine(nextRun(offer));
  }
  printLine(`${colors.red('✘')} ${offer.refusal}`);
  const rows = offer.conflicts.map(({ table, key, reason }: UndoConflict) => [
    table,
    Object.entries(key)
      .map(([column, value]) => `${column}=${String(value)}`)
      .join(' '),
    reason,
  ]);
  if (rows.length > 0) printLine(renderTable(['table', 'row', 'why'], rows));
  const more = offer.conflict_count - rows.length;
  if (more > 0 && rows.length > 0) printLine(`and ${count(more)} more rows`);
}

function printTables(tables: readonly UndoTable[]): void {
  const head = ['table', 'removed', 'as before', 'out of the archive', 'into the archive', 'gone already'];
  const rows = tables.map((table) => [
    table.table,
    ...[table.removed, table.put_back, table.unarchived, table.archived_again, table.gone].map(count),
  ]);
  printLine(renderTable(head, rows, head.slice(1)));
}

function nextRun({ sync, schedules, client_id: client }: UndoOffer): string {
  const again = `The next run of ${sync} applies its source again.`;
  if (client !== null) return `${again} To stop that: npx durasync clients pause ${client}`;
  if (schedules.length === 0) return again;
  const pause = schedules.map((id) => `npx durasync schedules pause ${id}`).join('; ');
  return `${again} To stop that, give --pause-schedule, or: ${pause}`;
}

function resumeHint({ schedules, client_id: client }: UndoOffer): string {
  const resume =
    client === null
      ? schedules.map((id) => `npx durasync schedules resume ${id}`)
      : [`npx durasync clients resume ${client}`];
  return `It is paused now. When the source is right again: ${resume.join('; ')}`;
}
