import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import pg from 'pg';
import { clientWorkflowId } from '../../src/domain/clients.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import { clientWorkflows } from '../../src/temporal/clients.ts';
import { type Bed, BENCH_NAMESPACE } from './bed.ts';
import { type Measured, median, seconds, spread } from './measured.ts';
import { peakMemoryMb, startProgram } from './processes.ts';
import { Times } from './repeat.ts';

const BARE_QUEUE = 'bench-bare';
const ACCESS_TOKEN = 'shpat_bench';
/** Of a run that finds nothing new: plan, connection test, one for each kind of records, finish. */
const ACTIVITIES_OF_RUN = 7;
/** A rate of at least 70 %, as a time. */
const RATE_TARGET = 1 / 0.7;
const LATENCY_TARGET = 2;
const MEMORY_TARGET_MB = 1_000;
const FORCES = 25;
const POLL_MS = 50;
const AT_ONCE = 30;
const SETTLE_MS = 2_000;
const DUE_MAX = 1_000;
/** Enough for each client to learn of its new due time. */
const RELOAD_MS = 10_000;
const RELOAD_MS_EACH = 100;

/**
 * Clients as workflows, against bare workflows that only start a child for each signal: how fast they start, how
 * fast many that are due at once are served, how soon a force reaches its first activity, and the memory of the
 * worker that holds them all.
 *
 * @param rounds how often so many are due at once
 * @param clients how many; all of them are due at once, but no more than 1,000
 */
export async function measureClients(bed: Bed, rounds: number, clients: number): Promise<Measured[]> {
  const shops = await startProgram('quiet-shops', [ACCESS_TOKEN]);
  const bare = await startProgram('bare-worker', [bed.temporalAddress, BENCH_NAMESPACE, BARE_QUEUE]);
  const database = new pg.Client({ connectionString: bed.databaseUrl('ours') });
  await database.connect();
  const ids = Array.from({ length: clients }, (_, index) => `client-${index}`);
  const due = ids.slice(0, DUE_MAX);
  await addClients(database, bed.secretKeys, ids);
  const worker = await bed.startWorker({ SHOPIFY_BASE_URL: shops.firstLine });
  const ours = oursOn(bed.client, database);
  const theirs = bareOn(bed.client, bare.firstLine);
  try {
    const lines: Measured[] = [];
    bed.log(`clients: starting ${clients}, and as many bare workflows; 10,000 take a quarter of an hour`);
    const started = { ours: await ours.start(ids), bare: await theirs.start(ids) };
    bed.log(`clients: ${clients} started: ${JSON.stringify(started)}`);
    await sleep(SETTLE_MS);
    const served = new Times<'ours' | 'bare'>();
    for (let round = 1; round <= rounds; round += 1) {
      bed.log(`clients: waiting until ${due.length} are due`);
      const took = { bare: await theirs.serve(due), ours: await ours.serve(due) };
      bed.log(`clients, round ${round}: ${due.length} due at once: ${JSON.stringify(took)}`);
      served.add(took);
      await sleep(SETTLE_MS);
    }
    const forced = ids.slice(0, FORCES);
    const waits = { ours: await ours.force(forced), bare: await theirs.force(forced) };
    lines.push(
      line(`clients: ${clients.toLocaleString('en')} start`, started, 'as many bare workflows', RATE_TARGET),
      served.compare({
        what: `clients: ${due.length.toLocaleString('en')} due at once`,
        measured: 'ours',
        baseline: 'bare',
        is: `as many bare runs of ${ACTIVITIES_OF_RUN} activities`,
        target: RATE_TARGET,
      }),
      {
        ...line(
          'clients: a force reaches its first activity',
          { ours: median(waits.ours), bare: median(waits.bare) },
          'a signal to a bare workflow',
          LATENCY_TARGET,
        ),
        noise: Math.max(spread(waits.ours), spread(waits.bare)),
      },
    );
    const peakMb = await peakMemoryMb(worker.pid);
    if (peakMb !== null) {
      const what = 'clients: peak memory of the worker process';
      lines.push({
        what,
        unit: 'MB',
        measured: peakMb,
        baseline: null,
        target: MEMORY_TARGET_MB,
        noise: null,
      });
    }
    return lines;
  } finally {
    await database.end();
    await worker.stop();
    await bare.stop();
    await shops.stop();
  }
}

const line = (what: string, took: { ours: number; bare: number }, is: string, target: number): Measured => ({
  what,
  unit: 's',
  measured: took.ours,
  baseline: { is, value: took.bare },
  target,
  noise: null,
});

/** Clients with one connection each, due in a day. Their views are left away: nothing of a run needs them. */
async function addClients(database: pg.Client, secretKeys: string, ids: readonly string[]): Promise<void> {
  const keys = createKeyRing(secretKeys);
  await database.query(
    `INSERT INTO commerce.clients (client_id, name, view_name) SELECT id, id, 'client_' || id FROM unnest($1::text[]) id`,
    [ids],
  );
  const credentials = ids.map((id) => {
    const credentialId = randomUUID();
    const secrets = { shop_domain: `${id}.myshopify.com`, access_token: ACCESS_TOKEN };
    return { clientId: id, credentialId, sealed: keys.seal(JSON.stringify(secrets), credentialId) };
  });
  await database.query(
    `INSERT INTO commerce.client_api_credentials
       (client_id, credential_id, platform_type, connection_name, credentials, next_sync_at, due_at)
     SELECT c->>'clientId', (c->>'credentialId')::uuid, 'shopify', 'main', c->>'sealed',
            now() + interval '1 day', now() + interval '1 day'
     FROM jsonb_array_elements($1::jsonb) c`,
    [JSON.stringify(credentials)],
  );
}

interface Contestant {
  /** Seconds until all have been started and wait. */
  start(ids: readonly string[]): Promise<number>;
  /** Seconds until each of these has made a run, from the instant at which all were due. */
  serve(ids: readonly string[]): Promise<number>;
  /** For each: seconds from the force to the start of its run's first activity, one after the other. */
  force(ids: readonly string[]): Promise<number[]>;
}

function oursOn(client: Client, database: pg.Client): Contestant {
  const workflows = clientWorkflows(client);
  const count = async (query: string): Promise<number> =>
    Number((await database.query<{ count: string }>(query)).rows[0]?.count);
  const runs = (): Promise<number> => count('SELECT count(*) FROM commerce.client_api_sync_results');
  return {
    start: (ids) =>
      seconds(async () => {
        await workflows.start(ids);
        await until(
          async () =>
            (await count('SELECT count(*) FROM commerce.clients WHERE applied_at IS NOT NULL')) >= ids.length,
        );
      }),
    serve: async (ids) => {
      // They know it before the time comes, as they do when they wait for a day.
      const dueAt = new Date(Date.now() + RELOAD_MS + ids.length * RELOAD_MS_EACH);
      await database.query(
        `UPDATE commerce.client_api_credentials SET next_sync_at = $2, due_at = $2, updated_at = now()
         WHERE client_id = ANY ($1)`,
        [ids, dueAt],
      );
      await workflows.reload(ids);
      for (const id of ids) {
        await until(
          async () => (await workflows.status(id))?.credentials[0]?.nextSyncAt === dueAt.toISOString(),
        );
      }
      if (Date.now() > dueAt.getTime()) throw new Error('The clients learned too late when they are due.');
      const before = await runs();
      await sleep(dueAt.getTime() - Date.now());
      return seconds(() => until(async () => (await runs()) >= before + ids.length));
    },
    force: (ids) =>
      inTurn(ids, async (id) => {
        const before = await runs();
        await client.workflow.getHandle(clientWorkflowId(id)).signal('forceSync', {});
        await until(async () => (await runs()) > before);
        return latency(client, clientWorkflowId(id));
      }),
  };
}

function bareOn(client: Client, counterUrl: string): Contestant {
  const limit = pLimit(AT_ONCE);
  const each = (ids: readonly string[], work: (id: string) => Promise<unknown>): Promise<unknown> =>
    Promise.all(ids.map((id) => limit(() => work(id))));
  const done = async (): Promise<number> => Number(await (await fetch(counterUrl)).text());
  const go = (id: string): Promise<void> => client.workflow.getHandle(`bare/${id}`).signal('go');
  return {
    start: async (ids) => {
      const before = await done();
      return seconds(async () => {
        await each(ids, (id) =>
          client.workflow.start('bareEntity', {
            taskQueue: BARE_QUEUE,
            workflowId: `bare/${id}`,
            args: [ACTIVITIES_OF_RUN],
          }),
        );
        await until(async () => (await done()) >= before + ids.length);
      });
    },
    serve: async (ids) => {
      const before = await done();
      return seconds(async () => {
        await each(ids, go);
        await until(async () => (await done()) >= before + ids.length * ACTIVITIES_OF_RUN);
      });
    },
    force: (ids) =>
      inTurn(ids, async (id) => {
        const before = await done();
        await go(id);
        await until(async () => (await done()) >= before + ACTIVITIES_OF_RUN);
        return latency(client, `bare/${id}`);
      }),
  };
}

async function inTurn(ids: readonly string[], work: (id: string) => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (const id of ids) took.push(await work(id));
  return took;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(POLL_MS);
}

/** Seconds from the last signal of a workflow to the start of the first activity of the child that followed, by the server's clock. */
async function latency(client: Client, workflowId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const signalled = events?.findLast((event) => event.workflowExecutionSignaledEventAttributes);
  const child = events?.findLast((event) => event.childWorkflowExecutionStartedEventAttributes)
    ?.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
  const run = await client.workflow.getHandle(child?.workflowId ?? '', child?.runId ?? '').fetchHistory();
  const begun = run.events?.find((event) => event.activityTaskStartedEventAttributes);
  return instant(begun) - instant(signalled);
}

type HistoryEvent = { eventTime?: { seconds?: unknown; nanos?: number | null } | null };

function instant(event: HistoryEvent | undefined): number {
  if (!event?.eventTime) throw new Error('A history has no such event.');
  return Number(event.eventTime.seconds) + (event.eventTime.nanos ?? 0) / 1e9;
}
