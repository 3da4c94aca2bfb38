import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import { buildsFolder } from '../../home/builds.ts';
import { listClients } from '../../db/client-list.ts';
import { listRuns } from '../../db/run-list.ts';
import { ensureAdminToken } from '../../db/tokens.ts';
import { createApp } from '../../http/app.ts';
import { loadDashboard } from '../../http/dashboard-files.ts';
import { checkApiPort, startHttpApi } from '../../http/start-http-api.ts';
import { addDemoClients } from '../../installation/add-demo-clients.ts';
import type { Installation } from '../../installation/start.ts';
import type { Session } from '../../installation/session.ts';
import { startInstallation } from '../../installation/start.ts';
import { createLog } from '../../log.ts';
import { watchProcess } from '../../metrics/process-metrics.ts';
import type { RunSyncInput } from '../../domain/contracts.ts';
import { readSettings } from '../../settings.ts';
import { offReason } from '../../syncs/configured.ts';
import { startRun } from '../../temporal/runs.ts';
import { commandContext, type CommandContext, EXIT } from '../context.ts';
import { type StopRequest, stopRequest } from '../stop-request.ts';
import { follow } from '../follow-run.ts';
import { printLine, renderResult, renderTable } from '../output.ts';
import { renderClients } from './clients.ts';
import { loginLink } from './login.ts';

/** What there is to see on the first start. */
const FIRST_RUNS: readonly (Pick<RunSyncInput, 'sync' | 'days'> & { readonly in: 'demo' | 'any mode' })[] = [
  { sync: 'fleet', in: 'any mode' },
  { sync: 'sales', days: 30, in: 'demo' },
];
const CLIENTS_SHOWN = 10;
const CLIENTS_POLL_MS = 250;
const CLIENTS_WAIT_MS = 30_000;

/** Starts everything, runs the first fleet sync on the first start, and stays up until it is told to stop. */
export async function up(): Promise<number> {
  const context = await commandContext();
  const { config, home, env } = context;
  const startedAt = performance.now();
  const stop = stopRequest();
  const say = (message: string): void => printLine(`${colors.dim(clock())} ${message}`);
  await checkApiPort(config);
  let failure: string | undefined;
  const onGivenUp = (message: string): void => {
    failure = message;
    stop.request();
  };
  const building = loadDashboard(await buildsFolder(home), say);
  const installation = await startInstallation({ config, home, env, say, onGivenUp, signal: stop.signal });
  try {
    const { session } = installation;
    await ensureAdminToken(home, session.database.db);
    const dashboard = await building;
    const metrics = watchProcess(session.database.pool);
    // A file, because the screen belongs to the progress of runs.
    const log = createLog({ level: config.LOG_LEVEL, form: 'json', file: home.path('logs', 'api.log') });
    const app = createApp({ session, config, log, metrics, dashboard });
    const api = await startHttpApi({ app, config });
    try {
      await installation.announceApi(api.url);
      say(`everything is up after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      await firstRun(installation, stop).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      if (!stop.signal.aborted) {
        printUrls(installation, api.url, await loginLink(home, session, api.url), context);
      }
      await stop.requested;
    } finally {
      printLine('');
      say('stopping');
      await api.close();
    }
  } finally {
    await installation.stop();
  }
  if (failure) {
    process.stderr.write(`${failure}\n`);
    return EXIT.failed;
  }
  say('everything is stopped; the data stays in the home');
  return EXIT.ok;
}

const clock = (): string => new Date().toTimeString().slice(0, 8);

/** On the first start there is something to see: the fleet's tables being filled, and the clients of the demo. */
async function firstRun({ session, runtime }: Installation, stop: StopRequest): Promise<void> {
  const { demoSourceUrl } = runtime;
  const added = demoSourceUrl === null ? [] : await addDemoClients(session, demoSourceUrl);
  for (const { in: where, ...run } of FIRST_RUNS) {
    if (where === 'demo' && demoSourceUrl === null) continue;
    await firstSyncRun({ ...session, stopped: stop.signal }, run);
  }
  if (demoSourceUrl !== null) await startOtherSyncs(session);
  await showClients(session, added.length > 0 ? CLIENTS_WAIT_MS : 0, stop);
}

/** Shows the first few clients, after their first runs when there is time for them. */
async function showClients({ database }: Session, waitMs: number, stop: StopRequest): Promise<void> {
  for (const giveUpAt = Date.now() + waitMs; !stop.signal.aborted; await sleep(CLIENTS_POLL_MS)) {
    const clients = await listClients(database.db, { limit: CLIENTS_SHOWN });
    const pending = clients.some(({ connections }) => connections.some(({ status }) => status === 'pending'));
    if (pending && Date.now() < giveUpAt) continue;
    if (clients.length > 0) printLine(`\n${colors.bold('Clients')}\n${renderClients(clients)}`);
    return;
  }
}

async function firstSyncRun(session: Session, run: Pick<RunSyncInput, 'sync' | 'days'>): Promise<void> {
  const sync = session.syncs.find(({ name }) => name === run.sync);
  if (!sync) return;
  const off = offReason(sync, readSettings(sync.settings, session.targets.env));
  if (off) return printLine(colors.yellow(off));
  const earlier = await listRuns(session.database.db, { sync: run.sync, limit: 1 });
  if (earlier.length > 0) return;
  printLine(
    colors.bold(`First run of ${sync.title}${session.targets.mode === 'demo' ? ' (demo data)' : ''}`),
  );
  const started = await startRun(session.client, {
    ...run,
    trigger: 'first_start',
    triggeredBy: 'up',
  });
  printLine(renderResult(await follow(session, started)));
}

/** In the demo nobody has to wait hours to see the other syncs: each that has never run starts now, in the background. */
async function startOtherSyncs({ syncs, targets, database, client }: Session): Promise<void> {
  const started: string[] = [];
  for (const sync of syncs) {
    const settings = readSettings(sync.settings, targets.env);
    if (sync.schedules(settings).length === 0 || offReason(sync, settings)) continue;
    if ((await listRuns(database.db, { sync: sync.name, limit: 1 })).length > 0) continue;
    await startRun(client, { sync: sync.name, trigger: 'first_start', triggeredBy: 'up' });
    started.push(sync.name);
  }
  if (started.length > 0) printLine(`Also started: ${started.join(', ')}. See: npx durasync runs`);
}

function printUrls(
  { runtime }: Installation,
  apiUrl: string,
  loginUrl: string,
  { home }: CommandContext,
): void {
  const demo = runtime.mode === 'demo' ? [['demo sources', runtime.demoSourceUrl ?? '']] : [];
  printLine('');
  printLine(
    renderTable(
      ['', ''],
      [
        ['Dashboard', loginUrl],
        ['', colors.dim('logs in once, within 10 minutes; then: npx durasync login')],
        [
          'Temporal Web UI',
          `${runtime.temporalUiUrl ?? 'not ours'}/namespaces/${runtime.temporalNamespace}/workflows`,
        ],
        ['HTTP API', `${apiUrl}/openapi.json`],
        ['PostgreSQL', 'psql "$(npx durasync status --json | jq -r .databaseUrl)"'],
        ...demo,
        ['home', home.dir],
      ],
    ),
  );
  if (runtime.mode === 'demo')
    printLine(colors.yellow('This is demo data. How to go real: npx durasync demo'));
  printLine(
    'Next: npx durasync runs   npx durasync run fleet   npx durasync schedules list      Ctrl-C stops everything',
  );
}
