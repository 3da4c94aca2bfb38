import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import type { HealthCheck } from '../domain/health.ts';
import { type Environment, readSettings } from '../settings.ts';
import { hasSource, isUploaded, offReason } from '../syncs/configured.ts';
import type { ScheduleDefinition, Settings, SyncDefinition } from '../syncs/define-sync.ts';
import { nextRuns } from '../temporal/next-runs.ts';

/** A sync is stale when it has not completed in so many of its periods. */
const PERIODS = 2;
/** How many of the next runs tell the period. */
const LOOKED_AHEAD = 4;

/**
 * From when on a sync is stale that completed, or was turned on, at an instant: twice the shortest time between its next
 * runs later, and never before two of them were due. Null for one that never runs.
 */
export function staleFrom(schedules: readonly ScheduleDefinition[], since: Date): Date | null {
  const times = schedules.flatMap((schedule) => {
    const next = nextRuns(schedule, since, LOOKED_AHEAD).map((time) => time.getTime());
    const gaps = next.slice(1).map((time, index) => time - (next[index] ?? 0));
    const [, second] = next;
    return second === undefined ? [] : [Math.max(second, since.getTime() + PERIODS * Math.min(...gaps))];
  });
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** Marks a sync that nobody expects to run. */
const UNWATCHED = { watched: 'no' };

interface Watch {
  readonly db: Db;
  readonly syncs: readonly SyncDefinition[];
  readonly env: Environment;
  readonly now: Date;
  /** Schedules that a person paused, with the note. */
  readonly paused: ReadonlyMap<string, string>;
}

/** How a sync that should run by itself stands against its schedules. */
export interface Freshness {
  readonly sync: string;
  readonly completedAt: Date | null;
  /** The first of its times since it completed or was turned on. */
  readonly dueAt: Date | null;
  readonly staleAt: Date | null;
}

/** How every sync stands that is on and that nobody has paused. Depends on no run of theirs. */
export async function readFreshness(watch: Omit<Watch, 'paused'> & Partial<Watch>): Promise<Freshness[]> {
  const { db, syncs, env, now, paused = new Map<string, string>() } = watch;
  const since = await watchedSince(db);
  const read = syncs.map(async (sync): Promise<Freshness | null> => {
    const settings = settingsOf(sync, env);
    const schedules = sync.schedules(settings).filter(({ id }) => !paused.has(id));
    if (schedules.length === 0 || whyOff(sync, settings) !== undefined) return null;
    const completedAt = await lastCompleted(db, sync, settings);
    const on = since.get(sync.name) ?? now;
    const base = completedAt && completedAt > on ? completedAt : on;
    const due = schedules
      .flatMap((schedule) => nextRuns(schedule, base, 1))
      .sort((a, b) => Number(a) - Number(b));
    return { sync: sync.name, completedAt, dueAt: due[0] ?? null, staleAt: staleFrom(schedules, base) };
  });
  return (await Promise.all(read)).filter((each) => each !== null);
}

/** Since when each sync is on without a break, as far as the hourly check knows. */
async function watchedSince(db: Db): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await sql<{
    sync: string;
    since: Date;
  }>`SELECT sync, since FROM durasync.watched_syncs`.execute(db);
  return new Map(rows.map((row) => [row.sync, row.since]));
}

/** Whether every sync that is on completes as often as its schedule says. */
export async function checkFreshness(watch: Watch): Promise<HealthCheck[]> {
  const fresh = new Map((await readFreshness(watch)).map((each) => [each.sync, each]));
  return watch.syncs.flatMap((sync): HealthCheck[] => {
    const name = `freshness: ${sync.name}`;
    const settings = settingsOf(sync, watch.env);
    const schedules = sync.schedules(settings);
    if (schedules.length === 0) return [];
    const found = fresh.get(sync.name);
    if (found) return [{ name, ...standing(found, watch.now) }];
    const off = whyOff(sync, settings);
    const notes = schedules.map(({ id }) => `${id} (${watch.paused.get(id)})`).join(', ');
    const message = off === undefined ? `A person has paused it: ${notes}` : `It is off: ${off}`;
    return [{ name, status: 'healthy', message, detail: UNWATCHED }];
  });
}

function standing({ completedAt, staleAt }: Freshness, now: Date): Omit<HealthCheck, 'name'> {
  const detail = {
    last_completed_at: completedAt?.toISOString() ?? null,
    stale_from: staleAt?.toISOString() ?? null,
  };
  const last = completedAt ? `completed ${ago(completedAt, now)}` : 'has not completed yet';
  return staleAt && now >= staleAt
    ? { status: 'error', message: `It ${last}: that is more than twice its period.`, detail }
    : { status: 'healthy', message: `It ${last}.`, detail };
}

/** Remembers since when each sync is on, for `checkFreshness`. Safe to repeat. */
export async function watchSyncs({ db, syncs, env }: Pick<Watch, 'db' | 'syncs' | 'env'>): Promise<void> {
  const on = syncs
    .filter((sync) => whyOff(sync, settingsOf(sync, env)) === undefined)
    .map(({ name }) => name);
  await sql`DELETE FROM durasync.watched_syncs WHERE sync <> ALL(${on}::text[])`.execute(db);
  await sql`INSERT INTO durasync.watched_syncs (sync) SELECT unnest(${on}::text[]) ON CONFLICT DO NOTHING`.execute(
    db,
  );
}

const settingsOf = (sync: SyncDefinition, env: Environment): Settings => readSettings(sync.settings, env);

const whyOff = (sync: SyncDefinition, settings: Settings): string | undefined =>
  offReason(sync, settings) ?? sync.scheduleOff?.(settings);

/** When the last run of all its tables completed; what backfills and previews do is not the sync's own work. */
async function lastCompleted(db: Db, sync: SyncDefinition, settings: Settings): Promise<Date | null> {
  const tables = sync.tables
    .filter((table) => !isUploaded(table) && (!table.optional || hasSource(table, settings)))
    .map(({ name }) => name);
  const { rows } = await sql<{ completed_at: Date }>`
    SELECT completed_at FROM durasync.sync_runs r
    WHERE sync = ${sync.name} AND kind = 'sync' AND status = 'completed' AND trigger <> 'backfill'
      AND (SELECT count(*) FROM durasync.sync_run_tables t
           WHERE t.run_id = r.run_id AND t.table_name = ANY(${tables}::text[])) = ${tables.length}
    ORDER BY started_at DESC LIMIT 1`.execute(db);
  return rows[0]?.completed_at ?? null;
}

interface LateConnection {
  readonly credential_id: string;
  readonly client_id: string;
  readonly connection: string;
  readonly hours: number;
  readonly late_since: Date;
}

const NAMED_MAX = 10;

/** The check of clients' connections, and which of them are late. A paused one is not. */
export async function checkConnections(db: Db): Promise<HealthCheck & { readonly late: readonly string[] }> {
  const { rows: late } = await sql<LateConnection>`
    SELECT k.credential_id, k.client_id, k.platform_type || ' ' || k.connection_name AS connection,
           k.sync_frequency_hours AS hours, base.at AS late_since
    FROM commerce.client_api_credentials k JOIN commerce.clients c USING (client_id)
    CROSS JOIN LATERAL (
      SELECT greatest(k.updated_at, max(r.started_at)) AS at FROM commerce.client_api_sync_results r
      WHERE r.client_id = k.client_id AND r.credential_id = k.credential_id AND r.success) base
    WHERE c.active AND NOT k.paused
      AND base.at + make_interval(secs => 3600 * ${PERIODS} * k.sync_frequency_hours) < now()
    ORDER BY base.at`.execute(db);
  const { rows } = await sql<{ watched: number; paused: number }>`
    SELECT count(*) FILTER (WHERE NOT paused) AS watched, count(*) FILTER (WHERE paused) AS paused
    FROM commerce.client_api_credentials JOIN commerce.clients USING (client_id) WHERE active`.execute(db);
  const { watched = 0, paused = 0 } = rows[0] ?? {};
  const named = late.slice(0, NAMED_MAX).map(({ client_id, connection, hours }) => {
    return `${client_id} (${connection}, every ${Number(hours.toFixed(2))} h)`;
  });
  if (late.length > named.length) named.push(`${late.length - named.length} more`);
  return {
    name: 'freshness: clients',
    status: late.length > 0 ? 'error' : 'healthy',
    message:
      late.length > 0
        ? `${late.length} of ${watched} connections have not completed in twice their period: ${named.join(', ')}.`
        : `${watched} connections are in time, ${paused} are paused.`,
    detail: { connections: watched, late: late.length, paused },
    late: late.map(({ credential_id: id }) => id),
  };
}

const MINUTE_MS = 60_000;

/** How long ago something was, for people. */
export function ago(then: Date, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - then.getTime()) / MINUTE_MS));
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}
