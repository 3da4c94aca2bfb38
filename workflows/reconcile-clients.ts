import { continueAsNew, setCurrentDetails } from '@temporalio/workflow';
import { clients } from './activities.ts';

export interface ReconcileCounts {
  readonly started: number;
  readonly reloaded: number;
  readonly ended: number;
}

interface ReconcileInput extends ReconcileCounts {
  readonly after: string | null;
}

/** Pages of 500 clients before a new history begins. */
const PAGES_MAX = 100;

/**
 * Compares the active clients with the running workflows: starts the missing ones, ends the removed ones and
 * reloads those with newer connections. Safe to repeat.
 */
export async function reconcileClients(
  { after, ...counts }: ReconcileInput = { after: null, started: 0, reloaded: 0, ended: 0 },
): Promise<ReconcileCounts> {
  let so = counts;
  let from = after;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await clients.reconcilePage(from);
    so = {
      started: so.started + page.started,
      reloaded: so.reloaded + page.reloaded,
      ended: so.ended + page.ended,
    };
    setCurrentDetails(`${so.started} started, ${so.reloaded} reloaded, ${so.ended} ended`);
    if (page.after === null) return so;
    from = page.after;
  }
  return continueAsNew<typeof reconcileClients>({ after: from, ...so });
}
