import { activityInfo } from '@temporalio/activity';
import type { ClientActivities, ReconcileCounts } from '../src/domain/clients.ts';
import { SyncFailure } from '../src/domain/failures.ts';
import { auditEvent } from '../src/db/audit.ts';
import { listClientPage, readClientState, setClientFrequency, setClientPaused } from '../src/db/clients.ts';
import type { Db } from '../src/db/connect.ts';
import { recordClientRun } from '../src/db/record-client-run.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Activities of client workflows, without the guard that `createActivities` puts around each. */
export function clientActivities({
  database: { db },
  clients,
  wakeNotifications,
}: Pick<ActivityDependencies, 'database' | 'clients' | 'wakeNotifications'>): ClientActivities {
  return {
    readClient: (clientId) => readClientState(db, clientId),
    async recordClientRun(run) {
      await recordClientRun(db, run);
      // A connection may have been paused with this.
      if (run.outcome === 'failure') await wakeNotifications();
      return readClientState(db, run.clientId);
    },
    async setClientPaused({ clientId, reason }) {
      await setClientPaused(db, clientId, reason);
      await recordSignal(db, reason === null ? 'resume client' : 'pause client', clientId, { reason });
    },
    async setClientFrequency({ clientId, hours, platform }) {
      const changed = await setClientFrequency(db, clientId, hours, platform);
      if (changed === 0) throw new SyncFailure('InvalidInput', `Client ${clientId} has no such connection.`);
      await recordSignal(db, 'set frequency', clientId, { hours, platform });
    },
    reconcileWorkflows: () => reconcileWorkflows(db, clients),
  };
}

/** Who sent a signal is not known; what it changed is. The command line and the HTTP API change clients without one. */
async function recordSignal(
  db: Db,
  action: string,
  subject: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { activityId, workflowExecution } = activityInfo();
  const entry = { actor: 'temporal', action, subject, detail };
  await auditEvent(db, entry, `${workflowExecution?.runId}/${activityId}`);
}

/** The workflows are listed first: a client that is added meanwhile is then started twice, which does nothing. */
async function reconcileWorkflows(
  db: Db,
  workflows: ActivityDependencies['clients'],
): Promise<ReconcileCounts> {
  const running = await workflows.listRunning();
  // What is left of these at the end belongs to no active client.
  const removed = new Set(running);
  let started = 0;
  let reloaded = 0;
  for (let after: string | null = null; ;) {
    const page = await listClientPage(db, after);
    for (const id of page.active) removed.delete(id);
    const missing = page.active.filter((id) => !running.has(id));
    const changed = page.changed.filter((id) => running.has(id));
    await workflows.start(missing);
    await workflows.reload(changed);
    started += missing.length;
    reloaded += changed.length;
    if (page.last === null) break;
    after = page.last;
  }
  await workflows.reload([...removed]);
  return { started, reloaded, ended: removed.size };
}
