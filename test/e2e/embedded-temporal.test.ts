import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { afterAll, afterEach, expect, test } from 'vitest';
import { processIdentity } from '../../src/home/processes.ts';
import {
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
  startEmbeddedTemporal,
} from '../../src/temporal/embedded-server.ts';
import { ensureNamespace, registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { testEngine } from '../support/engines.ts';
import { startProgram } from '../support/start-program.ts';

const { cliPath } = await testEngine('/temporal');
const folder = await mkdtemp(join(tmpdir(), `durasync-test-${process.pid}-`));
const port = { use: 'Temporal', preferred: 28_000, fixedBy: null };
const options: EmbeddedTemporalOptions = {
  cliPath,
  dataDir: join(folder, 'temporal'),
  state: 'kept',
  port,
  uiPort: { ...port, use: "Temporal's Web UI" },
  namespaces: ['default', 'demo'],
  logFile: join(folder, 'logs', 'temporal.log'),
};
const running: EmbeddedTemporal[] = [];
const owners: ChildProcess[] = [];
const closing: Connection[] = [];

afterEach(async () => {
  owners.splice(0).forEach((owner) => owner.kill('SIGKILL'));
  await Promise.all(closing.splice(0).map((connection) => connection.close()));
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(): Promise<EmbeddedTemporal> {
  const server = await startEmbeddedTemporal(options);
  running.push(server);
  return server;
}

async function connect(address: string): Promise<Connection> {
  const connection = await Connection.connect({ address });
  closing.push(connection);
  return connection;
}

/** Starts a workflow that carries every search attribute of ours and returns its first run id. */
async function startWorkflow(address: string, namespace: string, workflowId: string): Promise<string> {
  const client = new Client({ connection: await connect(address), namespace });
  const names = ['SyncName', 'ClientId', 'Platform', 'SyncTrigger', 'RunStatus'];
  const pairs = names.map((name) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value: 'x' }));
  const handle = await client.workflow.start('anything', {
    taskQueue: 'nobody-listens',
    workflowId,
    typedSearchAttributes: new TypedSearchAttributes(pairs),
  });
  return handle.firstExecutionRunId;
}

test('each namespace takes workflows that carry our search attributes, and the Web UI answers', async () => {
  const server = await start();
  await startWorkflow(server.address, 'default', 'w1');
  await startWorkflow(server.address, 'demo', 'w1');
  expect((await fetch(server.uiUrl)).status).toBe(200);
  const { namespaceInfo, config } = await (
    await connect(server.address)
  ).workflowService.describeNamespace({ namespace: 'default' });
  expect(namespaceInfo?.name).toBe('default');
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
});

test('stopping twice is harmless, and workflows survive a stop and a kill', async () => {
  const server = await start();
  const runId = await startWorkflow(server.address, 'demo', 'survivor');
  await Promise.all([server.stop(), server.stop()]);
  await server.exited;
  const second = await start();
  process.kill(second.pid, 'SIGKILL');
  expect(await second.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const third = await start();
  const client = new Client({ connection: await connect(third.address), namespace: 'demo' });
  expect((await client.workflow.getHandle('survivor').describe()).runId).toBe(runId);
});

test('a server survives Ctrl-C of its owner, and the next start stops it when its owner was killed', async () => {
  const owner = await startProgram('run-temporal', [cliPath, options.dataDir, options.logFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  owners.push(owner);
  const [chunk] = await once(owner.stdout as Readable, 'data');
  const { pid, address } = JSON.parse(String(chunk)) as { pid: number; address: string };
  process.kill(-(owner.pid ?? 0), 'SIGINT');
  await once(owner, 'exit');
  await expect(connect(address)).resolves.toBeDefined();
  await start();
  expect(processIdentity(pid)).toBeNull();
});

test.each(['port', 'uiPort'] as const)(
  'a fixed %s that is taken is refused with its variable',
  async (which) => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(28_500, '127.0.0.1', resolve));
    const wish = { ...port, fixedBy: { variable: 'DURASYNC_SOME_PORT', port: 28_500 } };
    await expect(startEmbeddedTemporal({ ...options, [which]: wish })).rejects.toThrow(
      /Port 28500 for Temporal is taken.*DURASYNC_SOME_PORT/,
    );
    blocker.close();
  },
);

test('a program that is not the Temporal CLI is refused with its last words or a remedy', async () => {
  await expect(startEmbeddedTemporal({ ...options, cliPath: '/bin/false' })).rejects.toThrow(
    /could not start\..*temporal\.log/,
  );
  await expect(startEmbeddedTemporal({ ...options, cliPath: join(folder, 'none') })).rejects.toThrow(
    /could not be started.*TEMPORAL_CLI_PATH/,
  );
});

test('a server that loses a port of one of its parts at its start is started again', async () => {
  const unlucky = join(folder, 'unlucky');
  const atFirst = `if mkdir '${folder}/died' 2>/dev/null; then`;
  const panic = 'echo "panic: listen tcp 127.0.0.1:40001: bind: address already in use" >&2; exit 2';
  await writeFile(unlucky, `#!/bin/sh\n${atFirst} ${panic}; fi\nexec '${cliPath}' "$@"\n`, { mode: 0o755 });
  const told: string[] = [];
  const server = await startEmbeddedTemporal({
    ...options,
    cliPath: unlucky,
    log: (message) => told.push(message),
  });
  running.push(server);
  await startWorkflow(server.address, 'demo', 'after-the-second-start');
  expect(told).toEqual([expect.stringContaining('Starting the Temporal server again')]);
});

test('namespaces and search attributes can be asked for again, also at the same time', async () => {
  const server = await start();
  const connection = await connect(server.address);
  const prepare = async (): Promise<void> => {
    await ensureNamespace({ connection, namespace: 'another', retentionDays: 3, applyTo: 'new' });
    await registerSearchAttributes(connection, 'another');
  };
  await Promise.all([prepare(), prepare()]);
  await prepare();
  await startWorkflow(server.address, 'another', 'w1');
});

test('a search attribute of another type is refused with a remedy', async () => {
  const server = await start();
  const connection = await connect(server.address);
  await ensureNamespace({ connection, namespace: 'odd', retentionDays: 3, applyTo: 'new' });
  const text = 1;
  await connection.operatorService.addSearchAttributes({
    namespace: 'odd',
    searchAttributes: { ClientId: text },
  });
  await expect(registerSearchAttributes(connection, 'odd')).rejects.toThrow(
    /ClientId of namespace "odd" has another type.*TEMPORAL_NAMESPACE/,
  );
});
