import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { type RunId, holdId } from '../../src/domain/ids.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import { decideRun } from '../../src/temporal/runs.ts';
import { applySchedules, listSchedules } from '../../src/temporal/schedules.ts';
import { ensureWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { createTestDatabase, createTestNamespace } from '../support/engines.ts';
import { answerNight, firstNight, fleetVariables } from '../support/fault-fleet.ts';
import { startCsvServer } from '../support/csv-server.ts';
import { converterOf, type Sealing, startWorkerHere, type WorkerTarget } from '../support/fault-worker.ts';
import { FLEET_PATHS, vehicleFile } from '../support/fleet-files.ts';
import { runResult } from '../support/sync-harness.ts';

const [database, { address, namespace, client: plain }, server] = await Promise.all([
  createTestDatabase(),
  createTestNamespace(),
  startCsvServer(),
]);
const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [k1, k2] = [key('k1'), key('k2')];
/** Before, while and after the first key is replaced; each opens what the one before it sealed. */
const before: Sealing = { keys: k1, mode: 'sealed' };
const during: Sealing = { keys: `${k1},${k2}`, mode: 'sealed' };
const after: Sealing = { keys: `${k2},${k1}`, mode: 'sealed' };
const target: WorkerTarget = {
  address,
  namespace,
  taskQueue: 'durasync',
  databaseUrl: database.databaseUrl,
  env: fleetVariables(server, ''),
  bundles: SHARED_BUILDS,
};
const clientOf = (sealing: Sealing): Client =>
  new Client({ connection: plain.connection, namespace, dataConverter: converterOf(sealing) });

async function run(client: Client, tables: readonly string[] = []): Promise<RunId> {
  const handle = await client.workflow.start('runSync', {
    taskQueue: 'durasync',
    workflowId: `test/${randomUUID()}`,
    args: [tables.length > 0 ? { sync: 'fleet', tables } : { sync: 'fleet' }],
    staticSummary: 'a summary to seal',
  });
  await handle.result();
  return handle.firstExecutionRunId as RunId;
}

const workflowIdOf = async (runId: RunId): Promise<string> => {
  const { rows } = await database.pool.query('SELECT workflow_id FROM durasync.sync_runs WHERE run_id = $1', [
    runId,
  ]);
  return String(rows[0]?.workflow_id);
};
const historyOf = (workflowId: string) => plain.workflow.getHandle(workflowId).fetchHistory();

interface Seen {
  /** The ids of the keys that sealed something. */
  readonly keyIds: Set<string>;
  /** What is readable in payloads, and messages of failures. */
  readonly readable: string[];
}

/** Every payload and every failure of a history; search attributes are meant to be readable. */
function look(value: unknown, seen: Seen = { keyIds: new Set(), readable: [] }): Seen {
  if (typeof value !== 'object' || value === null) return seen;
  const { metadata, data } = value as { metadata?: Record<string, string>; data?: string };
  if (metadata) {
    const text = (encoded: string | undefined): string => Buffer.from(encoded ?? '', 'base64').toString();
    if (text(metadata['encoding']) === 'binary/encrypted')
      seen.keyIds.add(text(metadata['encryption-key-id']));
    else seen.readable.push(text(data));
    return seen;
  }
  for (const [name, each] of Object.entries(value)) {
    if (name === 'searchAttributes' || name === 'header') continue;
    if (name === 'message' && each !== 'Encoded failure') seen.readable.push(String(each));
    if (name === 'stackTrace' && each !== '') seen.readable.push(String(each));
    look(each, seen);
  }
  return seen;
}

const seenIn = async (workflowId: string): Promise<Seen> =>
  look(JSON.parse(historyToJSON(await historyOf(workflowId))));

let completed: RunId;
let held: RunId;

beforeAll(async () => {
  answerNight(server, '', firstNight);
  const first = await startWorkerHere({ ...target, sealing: before });
  completed = await run(clientOf(before));
  server.answer(FLEET_PATHS.FMS_VEHICLES_CSV_URL, vehicleFile(100));
  server.answer(FLEET_PATHS.FMS_PARTNERS_CSV_URL, (_request, response) => {
    response.writeHead(404).end();
  });
  held = await run(clientOf(before), ['vehicles', 'media_partners']);
  await first.stop();
});

let stopSecond = async (): Promise<void> => undefined;
afterAll(() => stopSecond());

describe('with DURASYNC_ENCRYPT_PAYLOADS', () => {
  test('runs do what they do without, and a table fails with its message', async () => {
    expect(await runResult(database, completed)).toMatchObject({ status: 'completed', success_count: 5 });
    expect(await runResult(database, held)).toMatchObject({
      status: 'held',
      tables: expect.arrayContaining([
        expect.objectContaining({ table: 'media_partners', error: expect.stringContaining('404') }),
      ]),
    });
  });

  test('nothing in the histories can be read: no argument, result, summary or failure', async () => {
    for (const workflowId of [await workflowIdOf(completed), await workflowIdOf(held), holdId(held)]) {
      expect(await seenIn(workflowId)).toEqual({ keyIds: new Set(['k1']), readable: [] });
    }
  });

  test('a history replays with the keys, and without them it does not', async () => {
    const history = await historyOf(await workflowIdOf(completed));
    const codePath = await ensureWorkflowBundle(SHARED_BUILDS, 'sealed');
    const replay = (sealing?: Sealing) =>
      Worker.runReplayHistory(
        { workflowBundle: { codePath }, dataConverter: sealing && converterOf(sealing) },
        history,
      );
    await replay(after);
    await expect(replay({ keys: k2, mode: 'sealed' })).rejects.toBeInstanceOf(Error);
    await expect(replay()).rejects.toBeInstanceOf(Error);
  });

  test('keys change without a stop: old and new processes finish the same hold together', async () => {
    const [old, fresh] = await Promise.all([
      startWorkerHere({ ...target, sealing: during }),
      startWorkerHere({ ...target, sealing: after }),
    ]);
    stopSecond = async () => void (await Promise.all([old.stop(), fresh.stop()]));
    await decideRun(clientOf(after), held, { decision: 'approve', by: 'alice' });
    const result = (await clientOf(during).workflow.getHandle(holdId(held)).result()) as { status: string };
    expect(result.status).toBe('completed_with_errors');
    const seen = await seenIn(holdId(held));
    expect(seen.readable).toEqual([]);
    expect(seen.keyIds).toContain('k2');
    await Worker.runReplayHistory(
      {
        workflowBundle: { codePath: await ensureWorkflowBundle(SHARED_BUILDS, 'sealed') },
        dataConverter: converterOf(after),
      },
      await historyOf(holdId(held)),
      holdId(held),
    );
  });

  test('the arguments of schedules are sealed with the newest key once schedules are applied', async () => {
    const parts = { syncs: [fleet], env: target.env };
    await applySchedules({ client: clientOf({ ...before, mode: 'plain' }), ...parts });
    const sealedBy = async (): Promise<Set<string>> => {
      const handle = clientOf(after).schedule.getHandle('fleet-nightly');
      return look(JSON.parse(JSON.stringify((await handle.describe()).raw.schedule?.action))).keyIds;
    };
    const outcomes = async (sealing: Sealing) =>
      new Set((await applySchedules({ client: clientOf(sealing), ...parts })).map(({ outcome }) => outcome));
    expect(await sealedBy()).toEqual(new Set());
    await outcomes(before);
    expect(await sealedBy()).toEqual(new Set(['k1']));
    await outcomes(after);
    expect(await sealedBy()).toEqual(new Set(['k2']));
    expect(await outcomes(after)).toEqual(new Set(['unchanged']));
    // The older key is gone, and what was made under it is still known as ours.
    const list = await listSchedules(clientOf({ keys: k2, mode: 'sealed' }));
    expect(list.map(({ id }) => id)).toContain('fleet-nightly');
  });
});
