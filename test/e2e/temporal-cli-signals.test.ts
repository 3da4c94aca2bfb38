import { beforeAll, describe, expect, test } from 'vitest';
import { setClientFrequency } from '../../src/db/clients.ts';
import { clientWorkflowId } from '../../src/domain/clients.ts';
import { outcomeOf } from '../support/client-runs.ts';
import { startCommerceHarness } from '../support/commerce-harness.ts';
import { fakeCustomer } from '../support/fake-shopify-records.ts';
import { temporalCli } from '../support/temporal-cli.ts';
import { waitUntil } from '../support/wait-until.ts';

const commerce = await startCommerceHarness();
commerce.env['COMMERCE_LOOKBACK_DAYS'] = '3650';
const temporal = await temporalCli(commerce.client.options.namespace);

/** What a command of the CLI printed, when it went well. */
async function ok(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await temporal(...args);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim() === '' ? {} : JSON.parse(stdout);
}

/** A client with one customer, whose workflow runs and is not due for a day. */
async function open(clientId: string) {
  const credentialId = await commerce.addShop(clientId, { customers: [fakeCustomer(1)] });
  await commerce.rows(
    `UPDATE commerce.client_api_credentials SET due_at = now() + '1 day', next_sync_at = now() + '1 day'
     WHERE credential_id = '${credentialId}'`,
  );
  await commerce.clients.start([clientId]);
  const id = ['--workflow-id', clientWorkflowId(clientId)];
  return {
    credentialId,
    signal: (name: string, ...more: string[]) => ok('workflow', 'signal', ...id, '--name', name, ...more),
    request: (...more: string[]) =>
      temporal('workflow', 'update', 'execute', ...id, '--name', 'requestSync', ...more),
    /** The answer to the query `status`. */
    status: async () => {
      const answer = await ok('workflow', 'query', ...id, '--type', 'status');
      return (answer['queryResult'] as Record<string, unknown>[])[0] ?? {};
    },
    results: () =>
      commerce.rows(`SELECT sync_triggered_by AS by, success FROM commerce.client_api_sync_results
                     WHERE client_id = '${clientId}' ORDER BY started_at`),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

const until = (what: string, { status }: Opened, expected: object): Promise<void> =>
  waitUntil(what, async () => {
    const found = await status();
    return expect.objectContaining(expected).asymmetricMatch(found);
  });

const connection = (expected: object): object => ({ credentials: [expect.objectContaining(expected)] });

describe('the plain Temporal CLI', () => {
  test('forces a sync with a signal, with or without saying who and for which platform', async () => {
    const client = await open('forced');
    await client.signal('forceSync');
    await waitUntil('it has run', async () => (await client.results()).length === 1);
    await client.signal('forceSync', '--input', '{"platform":"shopify","requestedBy":"ada"}');
    await waitUntil('it has run again', async () => (await client.results()).length === 2);
    expect(await client.results()).toEqual([
      { by: 'signal', success: true },
      { by: 'ada', success: true },
    ]);
    expect(await client.status()).toMatchObject({ clientId: 'forced', runsSinceStart: 2 });
  });

  test('asks for a sync with an update, and is answered with the run it leads to', async () => {
    const client = await open('asked');
    const { code, stdout } = await client.request('--input', '{"requestedBy":"grace"}');
    expect(code).toBe(0);
    const { result } = JSON.parse(stdout);
    const workflowId = expect.stringContaining(`client/asked/${client.credentialId}/`);
    expect(result).toMatchObject({ workflowId, state: 'started', runs: [{ state: 'started' }] });
    const { run } = await outcomeOf(commerce, result.workflowId);
    expect(run?.status).toBe('completed');
    expect(await client.results()).toEqual([{ by: 'grace', success: true }]);
  });

  test('pauses with a reason, which refuses an update, and resumes', async () => {
    const client = await open('paused');
    await client.signal('pause', '--input', '{"reason":"stocktake"}');
    await until('it is paused', client, { pausedReason: 'stocktake' });
    const refused = await client.request();
    expect(refused.code).not.toBe(0);
    expect(refused.stderr + refused.stdout).toContain('Client paused is paused: stocktake');
    await client.signal('forceSync');
    await client.signal('resume');
    await until('it goes on', client, { pausedReason: null });
    expect((await client.request()).code).toBe(0);
    await waitUntil('it has run', async () => (await client.results()).length === 1);
  });

  test('sets a frequency, and lets a client read again what was changed behind its back', async () => {
    const client = await open('often');
    await client.signal('setFrequency', '--input', '{"hours":6,"platform":"shopify"}');
    await until('it has the frequency', client, connection({ frequencyHours: 6 }));
    const stored = await commerce.rows(
      `SELECT sync_frequency_hours AS hours FROM commerce.client_api_credentials WHERE client_id = 'often'`,
    );
    expect(stored).toEqual([{ hours: 6 }]);
    await setClientFrequency(commerce.database.db, 'often', 9, undefined);
    expect(await client.status()).toMatchObject(connection({ frequencyHours: 6 }));
    await client.signal('reload');
    await until('it has read again', client, connection({ frequencyHours: 9 }));
  });
});

describe('a wrong message', () => {
  let client: Opened;
  beforeAll(async () => {
    client = await open('wrong');
  });

  test.each([
    ['forceSync', ['--input', '42']],
    ['forceSync', ['--input', '"shopify"']],
    ['forceSync', ['--input', '[]']],
    ['forceSync', ['--input', 'null']],
    ['forceSync', ['--input', '{"platform":["shopify"],"requestedBy":{"a":1}}']],
    ['forceSync', ['--input', '{"platform":"amazon"}', '--input', '{"more":1}']],
    ['pause', ['--input', '{"reason":7}']],
    ['setFrequency', []],
    ['setFrequency', ['--input', '{"hours":0}']],
    ['setFrequency', ['--input', '{"hours":-1}']],
    ['setFrequency', ['--input', '{"hours":"often"}']],
    ['setFrequency', ['--input', '{"hours":1e400}', '--input-meta', 'encoding=json/plain']],
    ['setFrequency', ['--input', '{"hours":3,"platform":"etsy"}']],
    ['reload', ['--input', '{"what":1}']],
    ['noSuchSignal', ['--input', '{}']],
  ])('%s %j does not hurt the client', async (name, more) => {
    await client.signal(name, ...more);
    await client.signal('resume');
    const { code, stdout } = await client.request();
    expect(code).toBe(0);
    expect((await outcomeOf(commerce, JSON.parse(stdout).result.workflowId)).run?.status).toBe('completed');
    expect(await client.status()).toMatchObject({
      pausedReason: null,
      ...connection({ frequencyHours: 24 }),
    });
  });

  test('in an update is refused, and the client goes on', async () => {
    const answer = await client.request('--input', '{"platform":"etsy"}');
    expect(answer.code).not.toBe(0);
    expect(answer.stderr + answer.stdout).toContain('has no etsy connection');
    expect((await client.request('--input', '"text"')).code).toBe(0);
  });
});

describe('runSync for commerce from the plain Temporal CLI', () => {
  /** Starts a run and waits for its end. */
  async function runSync(input: object) {
    const start = ['workflow', 'start', '--task-queue', 'durasync', '--type', 'runSync'];
    const started = await ok(...start, '--input', JSON.stringify(input));
    const id = ['--workflow-id', String(started['workflowId'])];
    const { stdout, stderr, code } = await temporal('workflow', 'result', ...id);
    return { runId: String(started['runId']), said: stdout + stderr, code, stdout };
  }

  test('with a scope syncs that connection', async () => {
    const credentialId = await commerce.addShop('scoped', { customers: [fakeCustomer(1), fakeCustomer(2)] });
    const { runId, stdout, code } = await runSync({ sync: 'commerce', scope: credentialId });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      result: { run_id: runId, status: 'completed', total_tables: 4 },
    });
    const stored = await commerce.rows(`SELECT external_id FROM client_scoped_data ORDER BY 1`);
    expect(stored).toEqual([{ external_id: '1' }, { external_id: '2' }]);
    expect(await commerce.rows(`SELECT scope, trigger FROM sync_runs WHERE run_id = '${runId}'`)).toEqual([
      { scope: credentialId, trigger: 'manual' },
    ]);
  });

  test.each([
    ['without a scope', {}, 'Start it with: npx durasync clients sync ID'],
    ['with an empty scope', { scope: '' }, 'one connection of one client at a time'],
    ['with a scope that is no text', { scope: 7 }, 'scope'],
    ['with the scope of nobody', { scope: 'nobody' }, 'There is no connection nobody'],
  ])('%s says what is wrong and leaves no open run', async (_name, scope, message) => {
    const { runId, said, code } = await runSync({ sync: 'commerce', ...scope });
    expect(code).not.toBe(0);
    expect(said).toContain(message);
    expect(await commerce.rows(`SELECT 1 FROM sync_runs WHERE run_id = '${runId}'`)).toEqual([]);
  });
});
