import colors from 'picocolors';
import { countClients } from '../../db/client-list.ts';
import { listRuns } from '../../db/run-list.ts';
import { findTargets, openSession } from '../../installation/session.ts';
import { readSettings } from '../../settings.ts';
import { offReason } from '../../syncs/configured.ts';
import { syncs } from '../../syncs/index.ts';
import { listSchedules } from '../../temporal/schedules.ts';
import { commandContext } from '../context.ts';
import { paintStatus, printJson, printLine, renderTable } from '../output.ts';

/** What runs where, which syncs are on, and how their last runs ended. */
export async function status(options: { readonly json?: true }): Promise<void> {
  const { config, home, env } = await commandContext();
  const targets = await findTargets(config, home, env);
  if (!targets) {
    const nothing = { databaseUrl: null, temporalAddress: null, temporalUiUrl: null, apiUrl: null };
    if (options.json) printJson({ home: home.dir, running: false, ...nothing, schedules: [], lastRuns: [] });
    else printLine(`Nothing runs in ${home.dir}. Start it with: npm start`);
    return;
  }
  const session = await openSession(targets, 'durasync status');
  try {
    const schedules = await listSchedules(session.client);
    const lastRuns = await lastRunOfEach(session.database.db);
    const clients = await countClients(session.database.db);
    const off = syncs.map((sync) => ({
      sync: sync.name,
      off: offReason(sync, readSettings(sync.settings, targets.env)) ?? null,
    }));
    const where = {
      home: home.dir,
      mode: targets.mode,
      databaseUrl: targets.databaseUrl,
      temporalAddress: targets.temporal.address,
      temporalNamespace: targets.temporal.namespace,
      temporalUiUrl: targets.temporalUiUrl,
      apiUrl: targets.apiUrl,
    };
    if (options.json) return printJson({ ...where, running: true, syncs: off, schedules, clients, lastRuns });
    printLine(
      renderTable(
        ['', ''],
        Object.entries({ ...where, databaseUrl: withoutPassword(where.databaseUrl) }).map(([name, value]) => [
          name,
          value ?? colors.dim('none'),
        ]),
      ),
    );
    printLine();
    const on = targets.mode === 'demo' ? 'on (demo data)' : 'on';
    for (const { sync, off: reason } of off) printLine(reason ? colors.yellow(reason) : `${sync}: ${on}`);
    const { active, failing, paused } = clients;
    if (active > 0) printLine(`clients: ${active} active, ${failing} failing, ${paused} paused`);
    for (const run of lastRuns)
      printLine(`${run.sync}: last run ${paintStatus(run.status)} at ${run.started_at}, ${run.run_id}`);
    for (const schedule of schedules) {
      printLine(
        `${schedule.id}: ${schedule.paused ? `paused (${schedule.note})` : `next ${schedule.nextTimes[0] ?? 'never'}`}`,
      );
    }
  } finally {
    await session.close();
  }
}

async function lastRunOfEach(db: Parameters<typeof listRuns>[0]) {
  const runs = await Promise.all(
    syncs.map((sync) => listRuns(db, { sync: sync.name, kind: 'sync', limit: 1 })),
  );
  return runs.flat();
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (url.password) url.password = '***';
  return url.href;
}
