import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import { audit } from '../../db/audit.ts';
import type { BackfillInput, BackfillStatus } from '../../domain/backfills.ts';
import type { Session } from '../../installation/session.ts';
import { readSettings } from '../../settings.ts';
import { checkBackfill } from '../../syncs/check-backfill.ts';
import {
  type BackfillChange,
  backfillDone,
  changeBackfill,
  readBackfill,
  type SeenBackfill,
  startBackfill,
} from '../../temporal/backfills.ts';
import { actor, commandContext, EXIT, requireSync, UsageError, withSession } from '../context.ts';
import { untilStopped, withRunningEngines } from '../follow-run.ts';
import { count, printJson, printLine, renderTable } from '../output.ts';

interface BackfillOptions {
  readonly from: string;
  readonly to: string;
  readonly every: string;
  readonly concurrency?: string;
  readonly wait: boolean;
  readonly json?: true;
}

const POLL_MS = 1_000;
const SAY_EVERY_MS = 5_000;
const DAYS_OF_WEEK = 7;

/** Runs past windows of a sync and waits for the last one. Returns the exit code. */
export async function backfill(name: string, options: BackfillOptions): Promise<number> {
  const sync = requireSync(name);
  const input: BackfillInput = {
    sync: name,
    from: options.from,
    to: options.to,
    days: readDays(options.every),
    ...(options.concurrency === undefined ? {} : { concurrency: readConcurrency(options.concurrency) }),
    requestedBy: actor(),
  };
  // A sync that has no windows is refused before anything is started for it.
  if (sync.windows === 'none')
    checkBackfill(sync, readSettings(sync.settings, (await commandContext()).env), input);
  return withRunningEngines(async (session) => {
    checkBackfill(sync, readSettings(sync.settings, session.targets.env), input);
    const runId = await startBackfill(session.client, input);
    const detail = { runId, from: input.from, to: input.to };
    await audit(session.database.db, { actor: actor(), action: 'backfill', subject: name, detail });
    if (!options.wait) {
      if (options.json) printJson({ run_id: runId, workflow_id: `backfill/${name}` });
      else printLine(`started; see how far it is with: npx durasync backfill show ${name}`);
      return EXIT.ok;
    }
    const status = await followBackfill(session, name);
    if (options.json) printJson(asJson({ state: 'completed', status }));
    else printLine(render({ state: 'completed', status }));
    return exitCodeOf(status);
  }, options.wait);
}

/** Shows how far a backfill is, or how the last one ended. */
export async function showBackfill(name: string, { json }: { readonly json?: true }): Promise<number> {
  requireSync(name);
  return withSession(async ({ client }) => {
    const seen = await readBackfill(client, name);
    if (json) printJson(asJson(seen));
    else printLine(render(seen));
    return EXIT.ok;
  });
}

/** Pauses, resumes or cancels a backfill. */
export async function changeBackfillOf(
  change: BackfillChange,
  name: string,
  options: { readonly reason?: string },
): Promise<void> {
  requireSync(name);
  await withSession(async ({ client, database }) => {
    const reason = options.reason ?? `by ${actor()}`;
    await changeBackfill(client, name, change, reason);
    await audit(database.db, {
      actor: actor(),
      action: `${change} backfill`,
      subject: name,
      detail: { reason },
    });
    const said = {
      pause: 'paused: open windows end, no other is started',
      resume: 'resumed',
      cancel: 'asked to stop',
    };
    printLine(said[change]);
  });
}

/** `1d`, `7d`, `2w`, as days. */
function readDays(every: string): number {
  const [, number, unit] = /^(\d{1,3})([dw])$/.exec(every) ?? [];
  if (number === undefined)
    throw new UsageError(`--every must be days or weeks, such as 1d or 2w, not '${every}'.`);
  return Number(number) * (unit === 'w' ? DAYS_OF_WEEK : 1);
}

function readConcurrency(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`--concurrency must be a whole number of 1 or more, not '${text}'.`);
}

async function followBackfill(session: Session, sync: string): Promise<BackfillStatus> {
  const { client, stopped } = session;
  let ended = false;
  const done = untilStopped(session, () => backfillDone(client, sync)).finally(() => (ended = true));
  done.catch(() => undefined);
  for (let saidAt = 0; !ended;) {
    if (Date.now() - saidAt >= SAY_EVERY_MS) {
      saidAt = Date.now();
      // Between two histories there may be none to ask.
      const seen = await readBackfill(client, sync).catch(() => null);
      if (seen && !ended) process.stderr.write(`${progressLine(seen.status)}\n`);
    }
    await Promise.race([sleep(POLL_MS), done.catch(() => undefined)]);
  }
  stopped?.throwIfAborted();
  return done;
}

function progressLine({
  windows,
  completed,
  failed,
  held,
  rows,
  open,
  pausedReason,
}: BackfillStatus): string {
  const parts = [
    `${count(completed + failed + held)} of ${count(windows)} windows`,
    `${count(open.length)} under way`,
    `${count(rows)} rows`,
  ];
  if (failed > 0) parts.push(`${count(failed)} failed`);
  if (held > 0) parts.push(`${count(held)} held`);
  if (pausedReason !== null) parts.push(`paused: ${pausedReason}`);
  return parts.join(', ');
}

function render({ state, status }: SeenBackfill): string {
  const { sync, from, to, problems, failed, held } = status;
  const lines = [`${colors.bold(`backfill of ${sync}`)}, ${from} to ${to}: ${state}`, progressLine(status)];
  if (problems.length > 0) {
    const rows = problems.map((each) => [each.from, each.outcome, each.runId ?? '', each.message ?? '']);
    lines.push('', renderTable(['window', 'result', 'run', 'why'], rows));
  }
  const more = failed + held - problems.length;
  if (more > 0) lines.push(`and ${count(more)} more`);
  if (failed > 0)
    lines.push('The same command again reads those windows again; what is there already stays as it is.');
  return lines.join('\n');
}

const asJson = ({ state, status }: SeenBackfill) => ({
  state,
  sync: status.sync,
  from: status.from,
  to: status.to,
  windows: status.windows,
  completed: status.completed,
  failed: status.failed,
  held: status.held,
  rows: status.rows,
  next: status.next,
  paused_reason: status.pausedReason,
  open: status.open.map(({ from, to, runId }) => ({ from, to, run_id: runId })),
  problems: status.problems.map(({ runId, ...problem }) => ({ ...problem, run_id: runId })),
});

function exitCodeOf({ failed, held }: BackfillStatus): number {
  if (failed > 0) return EXIT.failed;
  return held > 0 ? EXIT.held : EXIT.ok;
}
