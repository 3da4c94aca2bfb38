import type { RunResult } from '../../src/domain/run-result.ts';
import type { CommerceHarness } from './commerce-harness.ts';
import { waitUntil } from './wait-until.ts';

export interface ClientRun {
  /** What `client_api_sync_results` says. */
  readonly result: Record<string, unknown>;
  /** How the run itself ended; null when its workflow failed. */
  readonly run: RunResult | null;
}

const PLENTY_MS = 60_000;

/** Starts the client's workflow unless it runs, forces a sync, and waits until its outcome is stored and the workflow knows it. */
export async function syncNow(commerce: CommerceHarness, clientId: string): Promise<ClientRun> {
  await commerce.clients.start([clientId]);
  const { workflowId } = await commerce.clients.requestSync(clientId, { requestedBy: 'test' });
  const outcome = await outcomeOf(commerce, workflowId);
  await commerce.until(clientId, ({ credentials }) =>
    credentials.every(({ running }) => running !== workflowId),
  );
  return outcome;
}

export async function outcomeOf(commerce: CommerceHarness, workflowId: string): Promise<ClientRun> {
  const known = async (): Promise<string | undefined> =>
    (
      await commerce.client.workflow
        .getHandle(workflowId)
        .describe()
        .catch(() => undefined)
    )?.runId;
  await waitUntil(`${workflowId} has begun`, async () => (await known()) !== undefined, PLENTY_MS);
  const runId = await known();
  const run = await commerce.client.workflow
    .getHandle(workflowId)
    .result()
    .catch(() => null);
  const stored = () =>
    commerce.rows(`SELECT * FROM commerce.client_api_sync_results WHERE run_id = '${runId}'`);
  await waitUntil(
    `the outcome of ${workflowId} is stored`,
    async () => (await stored()).length === 1,
    PLENTY_MS,
  );
  const [result = {}] = await stored();
  return { result, run };
}

/** A connection as the database has it. */
export async function connectionOf(
  commerce: CommerceHarness,
  credentialId: string,
): Promise<Record<string, unknown>> {
  const [row = {}] = await commerce.rows(
    `SELECT * FROM commerce.client_api_credentials WHERE credential_id = '${credentialId}'`,
  );
  return row;
}
