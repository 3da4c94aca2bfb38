import type { ClientActivities } from '../src/domain/clients.ts';
import { SyncFailure } from '../src/domain/failures.ts';
import { listClientPage, readClientState, setClientFrequency, setClientPaused } from '../src/db/clients.ts';
import { recordClientRun } from '../src/db/record-client-run.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Activities of client workflows, without the guard that `createActivities` puts around each. */
export function clientActivities({ database: { db }, clients }: ActivityDependencies): ClientActivities {
  return {
    readClient: (clientId) => readClientState(db, clientId),
    async recordClientRun(run) {
      await recordClientRun(db, run);
      return readClientState(db, run.clientId);
    },
    setClientPaused: ({ clientId, reason }) => setClientPaused(db, clientId, reason),
    async setClientFrequency({ clientId, hours, platform }) {
      const changed = await setClientFrequency(db, clientId, hours, platform);
      if (changed === 0) throw new SyncFailure('InvalidInput', `Client ${clientId} has no such connection.`);
    },
    async reconcilePage(after) {
      const page = await listClientPage(db, after);
      const running = await clients.running(page.ids);
      const missing = page.active.filter((id) => !running.has(id));
      const changed = page.changed.filter((id) => running.has(id));
      const removed = page.inactive.filter((id) => running.has(id));
      await clients.start(missing);
      await clients.reload([...changed, ...removed]);
      return { after: page.last, started: missing.length, reloaded: changed.length, ended: removed.length };
    },
  };
}
