import { statfs } from 'node:fs/promises';
import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import { DATABASE_CHECK, type HealthCheck, type TemporalHealth } from '../domain/health.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { ago } from './freshness.ts';

const GB = 1024 ** 3;
const DISK_ERROR_BYTES = GB;
/** Below this share and this much together: a large disk has much left at 10 %. */
const DISK_WARNING = { share: 0.1, bytes: 20 * GB };
/** Counting more rows than this takes longer than it is worth; the planner's estimate is shown instead. */
const COUNTED_ROWS_MAX = 500_000;

/** Whether PostgreSQL answers, and how large the database is. */
export async function checkDatabase(db: Db): Promise<HealthCheck> {
  const startedAt = performance.now();
  try {
    const { rows } = await sql<{
      bytes: number;
    }>`SELECT pg_database_size(current_database()) AS bytes`.execute(db);
    const ms = Math.round(performance.now() - startedAt);
    const bytes = rows[0]?.bytes ?? 0;
    return {
      name: DATABASE_CHECK,
      status: 'healthy',
      message: `PostgreSQL answers in ${ms} ms; the database has ${size(bytes)}.`,
      detail: { answer_ms: ms, bytes },
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { name: DATABASE_CHECK, status: 'error', message: `PostgreSQL does not answer${code}.` };
  }
}

/** Whether Temporal answers and workers ask it for work, and which schedules a person has paused. */
export async function checkTemporal(
  temporal: TemporalHealth,
): Promise<{ checks: HealthCheck[]; paused: ReadonlyMap<string, string> }> {
  try {
    await temporal.answers();
    const [workers, paused] = await Promise.all([temporal.workers(), temporal.pausedSchedules()]);
    const answers: HealthCheck = { name: 'temporal', status: 'healthy', message: 'Temporal answers.' };
    const worker: HealthCheck =
      workers === 0
        ? { name: 'worker', status: 'error', message: 'No worker asks for work: nothing will run.' }
        : { name: 'worker', status: 'healthy', message: `Workers ask for work: ${workers}.` };
    return { checks: [answers, { ...worker, detail: { workers } }], paused };
  } catch {
    const check: HealthCheck = { name: 'temporal', status: 'error', message: 'Temporal does not answer.' };
    return { checks: [check], paused: new Map() };
  }
}

/** How many rows the live tables have; large ones as PostgreSQL estimates them. */
export async function checkRows(db: Db, syncs: readonly SyncDefinition[]): Promise<HealthCheck> {
  const names = new Set(
    syncs.flatMap(({ schema, tables }) => tables.map((table) => `${schema}.${table.live ?? table.name}`)),
  );
  const counted = await Promise.all(
    [...names].sort().map(async (name) => [name, await countRows(db, name)] as const),
  );
  const detail = Object.fromEntries(counted.filter(([, rows]) => rows !== null));
  const total = Object.values(detail).reduce<number>((sum, rows) => sum + (rows ?? 0), 0);
  const message = `${total.toLocaleString('en')} rows in ${Object.keys(detail).length} live tables.`;
  return { name: 'rows', status: 'healthy', message, detail };
}

/** Null for a table that is not there. */
async function countRows(db: Db, name: string): Promise<number | null> {
  const { rows: known } = await sql<{ estimate: number }>`
    SELECT coalesce(sum(c.reltuples), 0)::float8 AS estimate FROM pg_class c
    WHERE c.oid = to_regclass(${name}) OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(${name}))
    HAVING count(*) > 0`.execute(db);
  if (!known[0]) return null;
  if (known[0].estimate > COUNTED_ROWS_MAX) return Math.round(known[0].estimate);
  const { rows } = await sql<{ count: number }>`SELECT count(*) FROM ${sql.table(name)}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** The newest day that has a sale. */
export async function checkLastSale(db: Db): Promise<HealthCheck> {
  const { rows } = await sql<{ day: string | null }>`SELECT max(date) AS day FROM sales.sales`.execute(db);
  const day = rows[0]?.day ?? null;
  const message = day ? `The last sale is of ${day}.` : 'There is no sale yet.';
  return { name: 'last sale', status: 'healthy', message, detail: { last_sale_date: day } };
}

/** How much room the disk of the home has left. */
export async function checkDisk(folder: string): Promise<HealthCheck> {
  const name = 'disk';
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    const [free, total] = [bavail * bsize, blocks * bsize];
    const left = `${size(free)} of ${size(total)} are free where Durasync keeps its files`;
    const detail = { free_bytes: free, total_bytes: total };
    if (free < DISK_ERROR_BYTES) return { name, status: 'error', message: `Only ${left}.`, detail };
    const isLow = free < DISK_WARNING.bytes && free / total < DISK_WARNING.share;
    return isLow
      ? { name, status: 'warning', message: `Only ${left}.`, detail }
      : { name, status: 'healthy', message: `${left}.`, detail };
  } catch {
    return {
      name,
      status: 'warning',
      message: 'The disk that Durasync keeps its files on could not be asked.',
    };
  }
}

/** Runs that wait for a decision. */
export async function checkHolds(db: Db, now: Date): Promise<HealthCheck> {
  const { rows } = await sql<{ sync: string; count: number; oldest: Date }>`
    SELECT sync, count(*), min(completed_at) AS oldest FROM durasync.sync_runs WHERE status = 'held'
    GROUP BY sync ORDER BY sync`.execute(db);
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  const oldest = rows.map((row) => row.oldest).sort((a, b) => a.getTime() - b.getTime())[0];
  const list = rows.map((row) => `${row.sync} (${row.count})`).join(', ');
  return {
    name: 'holds',
    status: oldest ? 'warning' : 'healthy',
    message: oldest
      ? `${count === 1 ? '1 run waits' : `${count} runs wait`} for a decision, the oldest ended ${ago(oldest, now)}: ${list}. See: npx durasync runs --status held`
      : 'No run waits for a decision.',
    detail: { held: count },
  };
}

/** Syncs and connections whose last run failed. */
export async function checkFailures(db: Db, now: Date): Promise<HealthCheck> {
  const { rows } = await sql<{ cause: string; parts: string[]; raised_at: Date }>`
    SELECT cause, parts, raised_at FROM durasync.open_causes WHERE kind = 'failed' ORDER BY raised_at`.execute(
    db,
  );
  const named = rows
    .slice(0, 10)
    .map(
      (row) =>
        `${row.cause.replace(/^run:/, '')} (${row.parts.join(', ')}, since ${ago(row.raised_at, now)})`,
    );
  if (rows.length > named.length) named.push(`${rows.length - named.length} more`);
  return {
    name: 'failures',
    status: rows.length > 0 ? 'warning' : 'healthy',
    message: rows.length > 0 ? `Failing: ${named.join('; ')}.` : 'The last run of everything went well.',
    detail: { failing: rows.length },
  };
}

const size = (bytes: number): string =>
  bytes >= GB ? `${(bytes / GB).toFixed(1)} GB` : `${Math.round(bytes / 1024 ** 2)} MB`;
