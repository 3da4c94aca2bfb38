import type { PlanRunInput } from '../src/domain/contracts.ts';
import type { RunKind, RunPlan, TablePlan } from '../src/domain/run-plan.ts';
import { auditEvent } from '../src/db/audit.ts';
import type { Db } from '../src/db/connect.ts';
import { QUARANTINE, saveReplaySelection } from '../src/db/quarantine-replay.ts';
import { lastCompletedAt, openRun } from '../src/db/runs.ts';
import { saveUploadOfRun } from '../src/db/uploads.ts';
import { readSettings } from '../src/settings.ts';
import { checkRequest } from '../src/syncs/check-request.ts';
import { hasSource, isUploaded, uploadOf } from '../src/syncs/configured.ts';
import { dayIn, readWindow } from '../src/syncs/days.ts';
import { runTimeoutMs } from '../src/syncs/define-sync.ts';
import { guardsFor } from '../src/syncs/guards.ts';
import type { TableDefinition } from '../src/syncs/define-sync.ts';
import { type ActivityDependencies, findSync, findTable } from './dependencies.ts';

/** The share of the run timeout after which a run stops itself, so that it can still end its row. */
const DEADLINE_SHARE = 0.95;
const DEFAULT_HOLD_HOURS = 24;
const HOUR_MS = 3_600_000;
/** A replay takes single rows, and an import what a person chose: what share of it is bad or missing says nothing. */
const NO_SHARES = { missingShare: 1, quarantineShare: 1 } as const;

/** Kinds of runs that read sources, and so can be about days. */
const READS_DAYS: ReadonlySet<RunKind> = new Set(['sync', 'plan']);

/** Turns a definition into plain data and opens the run's rows. Safe to repeat. */
export async function planRun(
  { database, syncs, env }: ActivityDependencies,
  input: PlanRunInput,
): Promise<RunPlan> {
  const sync = findSync(syncs, input.sync);
  const settings = readSettings(sync.settings, env);
  checkRequest(sync, settings, input);
  const { db } = database;
  const scope = input.scope ?? '';
  const known = await sync.scopeTables?.(database, scope);
  const asked = [
    ...new Set(
      input.tables ?? known ?? sync.tables.filter((table) => !isUploaded(table)).map(({ name }) => name),
    ),
  ];
  const wanted = asked.map((name) => findTable(sync, name));
  const replays = input.kind === 'replay';
  const uploadsOf = (table: TableDefinition) =>
    input.kind === 'import' || isUploaded(table) ? uploadOf(table) : undefined;
  const tables = wanted.filter(
    (table) => replays || uploadsOf(table) || !table.optional || hasSource(table, settings),
  );
  const skipped = wanted.filter((table) => !tables.includes(table)).map((table) => table.name);
  const lastAt = await lastCompletedAt(db, sync.name, scope);
  const sinceCompleteMs = lastAt ? new Date(input.logicalAt).getTime() - lastAt.getTime() : null;
  const names = new Set(tables.map((table) => table.name));
  const timeZone = sync.timeZone(settings);
  const today = dayIn(timeZone, new Date(input.logicalAt));
  const window = READS_DAYS.has(input.kind ?? 'sync') ? readWindow(input, today, sync.windows) : null;
  const plan: RunPlan = {
    runId: input.runId,
    sync: sync.name,
    scope,
    kind: input.kind ?? 'sync',
    trigger: input.trigger,
    logicalAt: input.logicalAt,
    timeZone,
    window,
    full: input.full ?? false,
    tables: tables.map((table) => {
      const guards = guardsFor(table.guards, sync.periodMs, sinceCompleteMs);
      const given = replays ? QUARANTINE : uploadsOf(table)?.setting;
      return given
        ? { table: table.name, source: given, archives: false, guards: { ...guards, ...NO_SHARES } }
        : { table: table.name, source: table.source.setting, guards, ...ends(table, input, window) };
    }),
    enrich: sync.enrich.map(({ name, after }) => ({ step: name, after: after.filter((t) => names.has(t)) })),
    derive: sync.derive.map(({ name, after }) => ({ step: name, after: after.filter((t) => names.has(t)) })),
    // A replay asks no source.
    begins: sync.testConnection && !replays ? 'with_connection_test' : 'with_tables',
    reads: sync.reads ?? 'side_by_side',
    sourceQueue: sync.sourceQueue?.name ?? null,
    deadlineMs: Math.round(runTimeoutMs(sync, settings) * DEADLINE_SHARE),
    holdMs: Number(env['DURASYNC_HOLD_HOURS']?.trim() || DEFAULT_HOLD_HOURS) * HOUR_MS,
  };
  await openRun(db, input, plan, skipped);
  if (input.uploadId) await saveUploadOfRun(db, input.runId, input.uploadId);
  if (input.replay) await saveReplaySelection(db, input.runId, input.replay);
  await recordDirectStart(db, plan, input.triggeredBy);
  return plan;
}

/** Which rows of a table end with this run. */
function ends(
  { archives, lifecycle, day }: TableDefinition,
  { full, logicalAt }: PlanRunInput,
  window: RunPlan['window'],
): Pick<TablePlan, 'archives' | 'expiredBefore' | 'days'> {
  return {
    days: day === undefined ? undefined : (window ?? undefined),
    archives: archives === 'in full runs' ? (full ?? false) : archives,
    expiredBefore: lifecycle && new Date(new Date(logicalAt).getTime() - lifecycle.keptMs).toISOString(),
  };
}

/** Whoever starts a run by the command line or over HTTP has said so; from Temporal itself nobody has. */
async function recordDirectStart(db: Db, plan: RunPlan, by: string | undefined): Promise<void> {
  const { runId, sync, scope, kind, trigger } = plan;
  const direct = by === undefined ? trigger === 'manual' : trigger === 'signal' && !/^(cli|token):/.test(by);
  if (!direct) return;
  const entry = {
    actor: by === undefined ? 'temporal' : `temporal:${by}`,
    action: kind === 'sync' ? 'run' : kind,
    subject: scope === '' ? sync : `${sync}/${scope}`,
    detail: { runId, trigger },
  };
  await auditEvent(db, entry, runId);
}
