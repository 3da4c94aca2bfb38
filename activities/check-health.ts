import type { HealthActivities, HealthReport } from '../src/domain/health.ts';
import { checkHealth as lookAtEverything } from '../src/health/check-health.ts';
import { watchSyncs } from '../src/health/freshness.ts';
import { DATABASE_DOWN, tellHealth } from '../src/health/tell-health.ts';
import { DeliveryError } from '../src/notify/channel.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Looks at everything, keeps the report and tells people what has changed. */
export async function checkHealth(
  deps: ActivityDependencies,
  { databaseWasDown }: Parameters<HealthActivities['checkHealth']>[0],
  signal: AbortSignal,
): Promise<HealthReport> {
  const { syncs, env, keys, temporalHealth: temporal } = deps;
  const { db } = deps.database;
  const { late, ...report } = await lookAtEverything({ db, syncs, env, keys, temporal });
  if (report.checks.some(({ name, status }) => name === 'database' && status === 'error')) {
    if (!databaseWasDown) await tellWithoutDatabase(deps, report, signal);
    return report;
  }
  await watchSyncs({ db, syncs, env });
  if (await tellHealth(db, { report, late, databaseWasDown })) await deps.wakeNotifications();
  return report;
}

/** Nothing can be kept now, so each channel gets one try. */
async function tellWithoutDatabase(
  { channels, log }: ActivityDependencies,
  { timestamp }: HealthReport,
  signal: AbortSignal,
): Promise<void> {
  const createdAt = new Date(timestamp);
  const outgoing = { id: createdAt.getTime(), kind: 'health', event: 'raised', createdAt, ...DATABASE_DOWN };
  for (const channel of channels) {
    await channel.send(outgoing, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn(
        { passes: error instanceof DeliveryError && error.passes },
        'the loss of PostgreSQL could not be told',
      );
    });
  }
}
