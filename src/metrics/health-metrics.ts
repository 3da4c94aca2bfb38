import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import type { HealthCheck, HealthStatus } from '../domain/health.ts';
import { readFreshness } from '../health/freshness.ts';
import type { Environment } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import type { Metric } from './text.ts';

const LEVELS: Readonly<Record<HealthStatus, number>> = { healthy: 0, warning: 1, error: 2 };

export interface FreshnessParts {
  readonly db: Db;
  readonly syncs: readonly SyncDefinition[];
  readonly env: Environment;
}

/** How late each sync is against its schedules, asked now; and what the hourly health check found last. */
export async function readHealthMetrics({ db, syncs, env }: FreshnessParts): Promise<Metric[]> {
  const now = new Date();
  const fresh = await readFreshness({ db, syncs, env, now });
  const { rows } = await sql<{ checked_at: Date; checks: readonly HealthCheck[] }>`
    SELECT checked_at, checks FROM durasync.health_report`.execute(db);
  const [report] = rows;
  return [
    {
      name: 'durasync_schedule_lag_seconds',
      help: 'How long ago the first time was due that no completed run has met; 0 for a sync in time.',
      type: 'gauge',
      samples: fresh.map(({ sync, dueAt }) => ({
        labels: { sync },
        value: dueAt ? Math.max(0, (now.getTime() - dueAt.getTime()) / 1_000) : 0,
      })),
    },
    {
      name: 'durasync_sync_stale',
      help: '1 for a sync that has not completed in twice its period.',
      type: 'gauge',
      samples: fresh.map(({ sync, staleAt }) => ({
        labels: { sync },
        value: staleAt && now >= staleAt ? 1 : 0,
      })),
    },
    {
      name: 'durasync_health_check',
      help: 'What the hourly health check found last: 0 healthy, 1 warning, 2 error.',
      type: 'gauge',
      samples: (report?.checks ?? []).map(({ name, status }) => ({
        labels: { check: name },
        value: LEVELS[status],
      })),
    },
    {
      name: 'durasync_health_checked_timestamp_seconds',
      help: 'When the hourly health check last looked.',
      type: 'gauge',
      samples: report ? [{ value: report.checked_at.getTime() / 1_000 }] : [],
    },
  ];
}
