import colors from 'picocolors';
import { connectDatabase } from '../../db/connect.ts';
import type { HealthReport, HealthStatus, TemporalHealth } from '../../domain/health.ts';
import { checkHealth } from '../../health/check-health.ts';
import { requireTargets, type Targets } from '../../installation/session.ts';
import { syncs } from '../../syncs/index.ts';
import { connectTemporal } from '../../temporal/connect.ts';
import { temporalHealth } from '../../temporal/temporal-health.ts';
import { commandContext, EXIT } from '../context.ts';
import { printJson, printLine, renderTable } from '../output.ts';

/** Looks at everything, also when PostgreSQL or Temporal does not answer, and changes nothing. */
export async function health(options: { readonly json?: true }): Promise<number> {
  const { config, home, env } = await commandContext();
  const targets = await requireTargets(config, home, env);
  const report = await look(targets, { ...targets.env, DURASYNC_HOME: home.dir });
  if (options.json) printJson(report);
  else printLine(render(report));
  return report.status === 'error' ? EXIT.failed : EXIT.ok;
}

async function look({ databaseUrl, temporal, keys }: Targets, env: Targets['env']): Promise<HealthReport> {
  const database = connectDatabase({ databaseUrl, applicationName: 'durasync health' });
  const connection = await connectTemporal(temporal).catch(() => null);
  try {
    const { late: _, ...report } = await checkHealth({
      db: database.db,
      syncs,
      env,
      keys,
      temporal: connection ? temporalHealth(connection.client) : UNREACHABLE,
    });
    return report;
  } finally {
    await connection?.close();
    await database.close();
  }
}

const refuse = (): Promise<never> => Promise.reject(new Error('Temporal does not answer'));
const UNREACHABLE: TemporalHealth = { answers: refuse, workers: refuse, pausedSchedules: refuse };

const PAINT: Readonly<Record<HealthStatus, (text: string) => string>> = {
  healthy: colors.green,
  warning: colors.yellow,
  error: colors.red,
};

function render({ timestamp, status, checks }: HealthReport): string {
  const rows = checks.map((check) => [check.name, PAINT[check.status](check.status), check.message]);
  return `${renderTable(['check', 'status', ''], rows)}\n\n${PAINT[status](status)} at ${timestamp}`;
}
