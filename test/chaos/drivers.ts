import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { CLIENTS, SALES_DAYS_READ, type SyncName, type World } from './world.ts';

/** What a run of a sync is asked for besides its name. */
const INPUT: Partial<Record<SyncName, object>> = { cars: { full: true }, sales: { days: SALES_DAYS_READ } };
const POLL_MS = 100;
const PATIENCE_MS = 240_000;

/**
 * Does it until it goes well; Temporal may be away.
 *
 * @param calm four minutes after this at the latest it has to go well; of now when left out
 */
export async function untilDone<T>(work: () => Promise<T>, calm = AbortSignal.abort()): Promise<T> {
  for (let giveUpAt = Infinity; ; await sleep(POLL_MS)) {
    try {
      return await work();
    } catch (error) {
      if (calm.aborted) giveUpAt = Math.min(giveUpAt, Date.now() + PATIENCE_MS);
      if (Date.now() > giveUpAt) throw error;
    }
  }
}

async function untilTrue(what: string, isTrue: () => Promise<boolean>, calm?: AbortSignal): Promise<void> {
  await untilDone(async () => {
    if (!(await isTrue())) throw new Error(`never: ${what}`);
  }, calm);
}

/** Runs a sync once and waits until its workflow has ended, however it ends. */
export async function runOnce(client: Client, sync: SyncName, calm?: AbortSignal): Promise<void> {
  if (sync === 'commerce') return runClients(client, calm);
  const workflowId = `chaos/${sync}/${randomUUID()}`;
  await untilDone(async () => {
    try {
      await client.workflow.start('runSync', {
        taskQueue: 'durasync',
        workflowId,
        args: [{ sync, ...INPUT[sync] }],
      });
    } catch (error) {
      // An answer that was lost: it has started.
      if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    }
  }, calm);
  await untilTrue(
    `${sync} ends`,
    async () => {
      const { status } = await client.workflow.getHandle(workflowId).describe();
      return status.name !== 'RUNNING';
    },
    calm,
  );
}

async function runClients(client: Client, calm?: AbortSignal): Promise<void> {
  const clients = clientWorkflows(client);
  for (const id of CLIENTS) {
    await untilDone(() => clients.start([id]), calm);
    await untilDone(() => clients.requestSync(id, { requestedBy: 'chaos' }), calm);
  }
  for (const id of CLIENTS) {
    await untilTrue(
      `${id} is idle`,
      async () => {
        const status = await clients.status(id);
        return status?.credentials.every(({ running, queued }) => !running && !queued) ?? false;
      },
      calm,
    );
  }
}

/** Runs a sync again and again, its source changing before each run, until it is told to stop. */
export async function keepRunning(
  client: Client,
  sync: SyncName,
  world: World,
  stopped: AbortSignal,
): Promise<number> {
  let runs = 0;
  while (!stopped.aborted) {
    world.evolve(sync);
    await runOnce(client, sync, stopped);
    runs += 1;
  }
  return runs;
}
