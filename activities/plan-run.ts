import type { PlanRunInput } from '../src/domain/contracts.ts';
import { SyncFailure } from '../src/domain/failures.ts';
import type { RunPlan } from '../src/domain/run-plan.ts';
import { QUARANTINE, saveReplaySelection } from '../src/db/quarantine-replay.ts';
import { lastCompletedAt, openRun } from '../src/db/runs.ts';
import type { DatabaseConnection } from '../src/db/connect.ts';
import { readSettings } from '../src/settings.ts';
import { hasSource, offReason } from '../src/syncs/configured.ts';
import type { SyncDefinition, TableDefinition } from '../src/syncs/define-sync.ts';
import { guardsFor } from '../src/syncs/guards.ts';
import { type ActivityDependencies, findSync, findTable } from './dependencies.ts';

/** The share of the run timeout after which a run stops itself, so that it can still end its row. */
const DEADLINE_SHARE = 0.95;
const DEFAULT_HOLD_HOURS = 24;
const HOUR_MS = 3_600_000;
/** A replay takes single rows: what share of a source is bad or missing says nothing. */
const NO_SHARES = { missingShare: 1, quarantineShare: 1 } as const;

/** Turns a definition into plain data and opens the run's rows. Safe to repeat. */
export async function planRun(
  { database, syncs, env }: ActivityDependencies,
  input: PlanRunInput,
): Promise<RunPlan> {
  const sync = findSync(syncs, input.sync);
  const settings = readSettings(sync.settings, env);
  const off = offReason(sync, settings);
  if (off) throw new SyncFailure('SyncOff', off);
  const { db } = database;
  const scope = input.scope ?? '';
  const known = await tablesOf(database, sync, scope);
  const asked = input.tables?.map((name) => findTable(sync, name)) ?? known;
  const replays = input.kind === 'replay';
  const tables = asked.filter((table) => replays || !table.optional || hasSource(table, settings));
  const skipped = asked.filter((table) => !tables.includes(table)).map((table) => table.name);
  const lastAt = await lastCompletedAt(db, sync.name, scope);
  const sinceCompleteMs = lastAt ? new Date(input.logicalAt).getTime() - lastAt.getTime() : null;
  const names = new Set(tables.map((table) => table.name));
  const plan: RunPlan = {
    runId: input.runId,
    sync: sync.name,
    scope,
    kind: input.kind ?? 'sync',
    trigger: input.trigger,
    logicalAt: input.logicalAt,
    timeZone: sync.timeZone(settings),
    window: windowOf(sync, input),
    full: input.full ?? false,
    tables: tables.map((table) => {
      const guards = guardsFor(table.guards, sync.periodMs, sinceCompleteMs);
      return replays
        ? { table: table.name, source: QUARANTINE, archives: false, guards: { ...guards, ...NO_SHARES } }
        : { table: table.name, source: table.source.setting, archives: table.archives, guards };
    }),
    enrich: sync.enrich.map(({ name, after }) => ({ step: name, after: after.filter((t) => names.has(t)) })),
    derive: sync.derive.map(({ name, after }) => ({ step: name, after: after.filter((t) => names.has(t)) })),
    sourceQueue: sync.sourceQueue?.name ?? null,
    deadlineMs: Math.round(sync.runTimeoutMs * DEADLINE_SHARE),
    holdMs: Number(env['DURASYNC_HOLD_HOURS']?.trim() || DEFAULT_HOLD_HOURS) * HOUR_MS,
  };
  await openRun(db, input, plan, skipped);
  if (input.replay) await saveReplaySelection(db, input.runId, input.replay);
  return plan;
}

/** The tables of a sync, or those that one scope of it has. */
async function tablesOf(
  database: DatabaseConnection,
  sync: SyncDefinition,
  scope: string,
): Promise<readonly TableDefinition[]> {
  if (!sync.scopeTables) {
    if (scope === '') return sync.tables;
    throw new SyncFailure('InvalidInput', `${sync.name} is one whole: it has no scope '${scope}'.`);
  }
  if (scope === '') {
    throw new SyncFailure(
      'InvalidInput',
      `${sync.name} runs for one connection of one client at a time. Start it with: npx durasync clients sync ID`,
    );
  }
  return (await sync.scopeTables(database, scope)).map((name) => findTable(sync, name));
}

function windowOf(sync: SyncDefinition, input: PlanRunInput): RunPlan['window'] {
  if (input.from === undefined && input.to === undefined && input.days === undefined) return null;
  throw new SyncFailure(
    'InvalidInput',
    `${sync.name} has no windows of days: each run loads all its source shows now. Leave --from, --to and --days away.`,
  );
}
