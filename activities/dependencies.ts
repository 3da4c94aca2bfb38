import type { Logger } from 'pino';
import type { SourceAgent } from '../src/connectors/http/create-agent.ts';
import type { RunId } from '../src/domain/ids.ts';
import type { ClientWorkflows } from '../src/domain/clients.ts';
import { SyncFailure } from '../src/domain/failures.ts';
import type { TemporalHealth } from '../src/domain/health.ts';
import type { DatabaseConnection } from '../src/db/connect.ts';
import type { KeyRing } from '../src/key-ring.ts';
import type { SyncDefinition, TableDefinition } from '../src/syncs/define-sync.ts';
import type { Channel } from '../src/notify/channel.ts';
import type { Environment } from '../src/settings.ts';

/** What activities work with; made once for each worker. */
export interface ActivityDependencies {
  readonly database: DatabaseConnection;
  readonly syncs: readonly SyncDefinition[];
  readonly env: Environment;
  readonly log: Logger;
  readonly http: SourceAgent;
  readonly keys: KeyRing;
  readonly clients: Pick<ClientWorkflows, 'listRunning' | 'start' | 'reload'>;
  /** Told the activity and the code of every attempt that failed. */
  countFailure?(activity: string, code: string): void;
  /** The ways to reach people. */
  readonly channels: readonly Channel[];
  /** Has what was written for people sent soon. Never throws: what is not sent now is sent later. */
  wakeNotifications(): Promise<void>;
  readonly temporalHealth: TemporalHealth;
  /** Asks Temporal whether a workflow is still open; any execution of the id when no run is named. */
  isOpen(workflowId: string, runId?: RunId): Promise<boolean>;
}

/** @throws SyncFailure UnknownSync */
export function findSync(syncs: readonly SyncDefinition[], name: string): SyncDefinition {
  const found = syncs.find((sync) => sync.name === name);
  if (found) return found;
  const known = syncs.map((sync) => sync.name).join(', ');
  throw new SyncFailure('UnknownSync', `There is no sync '${name}'. Known: ${known}.`);
}

/** @throws SyncFailure InvalidInput */
export function findTable(sync: SyncDefinition, name: string): TableDefinition {
  const found = sync.tables.find((table) => table.name === name);
  if (found) return found;
  const known = sync.tables.map((table) => table.name).join(', ');
  throw new SyncFailure('InvalidInput', `${sync.name} has no table '${name}'. Known: ${known}.`);
}
