import { sql } from 'kysely';
import { openPlaces } from '../connectors/backups/open-places.ts';
import type { Db } from '../db/connect.ts';
import { listBackups } from '../db/backup/list-backups.ts';
import type { HealthCheck, HealthStatus } from '../domain/health.ts';
import type { KeyRing } from '../key-ring.ts';
import type { Environment } from '../settings.ts';
import { ago } from './freshness.ts';

const HOUR_MS = 3_600_000;
/** The schedule makes one a day; half a day more is left for one that runs late. */
const WARNING_AFTER_MS = 36 * HOUR_MS;
const ERROR_AFTER_MS = 72 * HOUR_MS;
const REMEDY = 'Make one with: npx durasync backup create';

/** How old the newest whole backup is. Without any, how long the database has been there without one. */
export async function checkBackups({
  db,
  env,
  keys,
  now,
}: {
  readonly db: Db;
  readonly env: Environment;
  readonly keys: KeyRing;
  readonly now: Date;
}): Promise<HealthCheck> {
  const { good, failures } = await listBackups(openPlaces(env).all, keys);
  const unread = failures.map(({ message }) => message).join(' ');
  const newest = good[0]?.shown;
  const since = new Date(newest?.created_at ?? (await firstMigratedAt(db)) ?? now);
  const age = statusOf(now.getTime() - since.getTime());
  const status = age === 'healthy' && unread !== '' ? 'warning' : age;
  const found = newest
    ? `The newest backup is ${newest.name}, ${ago(since, now)}.`
    : 'There is no backup yet.';
  const message = [found, unread, status === 'healthy' ? '' : REMEDY].filter((part) => part !== '').join(' ');
  return { name: 'backup', status, message, detail: { newest_at: newest?.created_at ?? null } };
}

function statusOf(ageMs: number): HealthStatus {
  if (ageMs > ERROR_AFTER_MS) return 'error';
  return ageMs > WARNING_AFTER_MS ? 'warning' : 'healthy';
}

async function firstMigratedAt(db: Db): Promise<string | undefined> {
  const { rows } = await sql<{ at: string | null }>`
    SELECT min(timestamp) AS at FROM durasync.migrations`.execute(db);
  return rows[0]?.at ?? undefined;
}
