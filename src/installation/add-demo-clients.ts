import { findClient } from '../db/client-list.ts';
import { makeDue } from '../db/clients.ts';
import { demoClients } from '../demo/demo-clients.ts';
import { demoSettings } from '../demo/demo-settings.ts';
import type { Platform } from '../domain/clients.ts';
import { addClient, addConnection, wake } from './client-changes.ts';
import type { Session } from './session.ts';

const BY = { actor: 'up' };
const BASE_URL: Readonly<Record<Platform, string>> = {
  shopify: 'SHOPIFY_BASE_URL',
  amazon: 'AMAZON_SPAPI_BASE_URL',
};

/**
 * Adds the clients of the demo, due at once, unless they are or were there. Not those of a platform whose base
 * address leads elsewhere. Safe to repeat.
 *
 * @returns the names of those it added
 */
export async function addDemoClients(session: Session, demoSourceUrl: string): Promise<string[]> {
  const { db } = session.database;
  const { env } = session.targets;
  const demo = demoSettings(demoSourceUrl);
  const added: string[] = [];
  for (const { clientId, name, ...connection } of demoClients()) {
    const variable = BASE_URL[connection.platform];
    if (env[variable] !== demo[variable] || (await findClient(db, clientId))) continue;
    await addClient(session, BY, { clientId, name });
    const { credential_id: id } = await addConnection(session, BY, {
      clientId,
      connectionName: 'demo',
      ...connection,
    });
    await makeDue(db, id);
    await wake(session, clientId);
    added.push(name);
  }
  return added;
}
