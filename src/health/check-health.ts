import type { Db } from '../db/connect.ts';
import { type HealthCheck, type HealthReport, type TemporalHealth, worstOf } from '../domain/health.ts';
import type { KeyRing } from '../key-ring.ts';
import type { Environment } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { checkBackups } from './backups.ts';
import {
  checkDatabase,
  checkDisk,
  checkFailures,
  checkHolds,
  checkLastSale,
  checkRows,
  checkTemporal,
} from './checks.ts';
import { checkConnections, checkFreshness } from './freshness.ts';

export interface HealthParts {
  readonly db: Db;
  readonly syncs: readonly SyncDefinition[];
  readonly env: Environment;
  readonly keys: KeyRing;
  readonly temporal: TemporalHealth;
}

/** Looks at everything and changes nothing. Never throws for what does not answer: that is what it reports. */
export async function checkHealth(
  parts: HealthParts,
): Promise<HealthReport & { readonly late: readonly string[] }> {
  const { db, syncs, env, keys } = parts;
  const now = new Date();
  const [database, temporal, disk] = await Promise.all([
    checkDatabase(db),
    checkTemporal(parts.temporal),
    checkDisk(env['DURASYNC_HOME']?.trim() || '.durasync'),
  ]);
  const first = [database, ...temporal.checks, disk];
  if (database.status === 'error') return { ...reportOf(now, first), late: [] };
  const [freshness, { late, ...connections }, ...rest] = await Promise.all([
    checkFreshness({ db, syncs, env, now, paused: temporal.paused }),
    checkConnections(db),
    checkFailures(db, now),
    checkHolds(db, now),
    checkBackups({ db, env, keys, now }),
    syncs.some(({ name }) => name === 'sales') ? checkLastSale(db) : null,
    checkRows(db, syncs),
  ]);
  return {
    ...reportOf(now, [...first, ...freshness, connections, ...rest.filter((check) => check !== null)]),
    late,
  };
}

const reportOf = (now: Date, checks: readonly HealthCheck[]): HealthReport => ({
  timestamp: now.toISOString(),
  status: worstOf(checks),
  checks,
});
