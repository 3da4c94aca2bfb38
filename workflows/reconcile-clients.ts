import { setCurrentDetails } from '@temporalio/workflow';
import type { ReconcileCounts } from '../src/domain/clients.ts';
import { clientsInBulk } from './activities.ts';

/**
 * Compares the active clients with the running workflows: starts the missing ones, ends the removed ones and
 * reloads those with newer connections. Safe to repeat.
 */
export async function reconcileClients(): Promise<ReconcileCounts> {
  const counts = await clientsInBulk.reconcileWorkflows();
  setCurrentDetails(`${counts.started} started, ${counts.reloaded} reloaded, ${counts.ended} ended`);
  return counts;
}
