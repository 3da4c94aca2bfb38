import type { TestConnectionInput } from '../src/domain/contracts.ts';
import { readSettings } from '../src/settings.ts';
import { type ActivityDependencies, findSync } from './dependencies.ts';

/** Asks the source of a scope whether it lets us in. Safe to repeat. @throws SyncFailure with a `Source…` code */
export async function testConnection(
  { database, syncs, env, http, keys }: ActivityDependencies,
  { sync: name, scope }: TestConnectionInput,
  signal: AbortSignal,
): Promise<void> {
  const sync = findSync(syncs, name);
  const settings = readSettings(sync.settings, env);
  await sync.testConnection?.({ database, http, settings, keys, scope }, signal);
}
