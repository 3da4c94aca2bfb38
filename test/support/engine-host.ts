import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import type { PortWish } from '../../src/free-port.ts';
import { findProcesses, processIdentity } from '../../src/home/processes.ts';
import { stopProcess } from '../../src/home/engine-process.ts';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded-server.ts';
import { findTemporalCli } from '../../src/temporal/install-cli.ts';
import { installProgram, type InstallOptions } from '../../src/temporal/install-program.ts';
import { TIME_SKIPPING_SERVER } from '../../src/temporal/pinned-programs.ts';

/** What the engine host answers to GET, by path. */
export interface EngineAnswers {
  '/postgres': { adminUrl: string; template: string };
  '/temporal': { address: string; cliPath: string };
  '/time-skipping-server': { path: string };
}

export interface EngineHost {
  readonly url: string;
  stop(): Promise<void>;
}

const TEMPLATE = 'durasync_template';
const FOLDER_PREFIX = 'durasync-test-';

/**
 * Runs the engines of one whole test run in a temporary folder. Each starts when the first test asks for it over
 * HTTP, so a run of pure tests starts none; what an earlier, killed test run left behind is removed.
 */
export async function startEngineHost(): Promise<EngineHost> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const install: InstallOptions = { env: process.env, homeDir: folder, onProgress: console.error };
  const stops: (() => Promise<void>)[] = [];

  const postgres = once(async () => {
    const server = await startTestPostgres(folder);
    stops.push(server.stop);
    await server.ensureDatabase(TEMPLATE);
    const { migrateToLatest } = await import('../../src/db/migrate.ts');
    await migrateToLatest(server.databaseUrl(TEMPLATE));
    return { adminUrl: server.databaseUrl('postgres'), template: TEMPLATE };
  });
  const temporal = once(async () => {
    const cliPath = await findTemporalCli(install);
    const server = await startTestTemporal(folder, cliPath);
    stops.push(server.stop);
    return { address: server.address, cliPath };
  });
  const timeSkippingServer = once(async () => ({
    path: await installProgram(TIME_SKIPPING_SERVER, install),
  }));
  const routes: { [Path in keyof EngineAnswers]: () => Promise<EngineAnswers[Path]> } = {
    '/postgres': postgres,
    '/temporal': temporal,
    '/time-skipping-server': timeSkippingServer,
  };

  const { server, url } = await serve(routes);
  return {
    url,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await Promise.all(stops.map((stop) => stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startTestPostgres(folder: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir: join(folder, 'postgres', 'data'),
    port: anyPort('PostgreSQL'),
    logFile: join(folder, 'postgres.log'),
    // Nothing here has to survive a crash; tests about crashes start a PostgreSQL of their own.
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      wal_compression: 'off',
      // It would go round the databases of all files that have ended.
      autovacuum: 'off',
      max_connections: '200',
    },
  });
}

function startTestTemporal(folder: string, cliPath: string): Promise<EmbeddedTemporal> {
  return startEmbeddedTemporal({
    cliPath,
    dataDir: join(folder, 'temporal'),
    state: 'in-memory',
    port: anyPort('Temporal'),
    uiPort: anyPort("Temporal's Web UI"),
    namespaces: ['default'],
    logFile: join(folder, 'temporal.log'),
  });
}

/** Away from the usual ports, which a developer's own Durasync may want to take meanwhile. */
const anyPort = (use: string): PortWish => ({
  use,
  preferred: 20_000 + (process.pid % 10_000),
  fixedBy: null,
});

type Routes = Readonly<Record<string, () => Promise<object>>>;

async function serve(routes: Routes): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''];
    const answer = route ? route() : Promise.reject(new Error(`The engine host has no ${request.url}`));
    answer.then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The engine host has no port.');
  return { server, url: `http://127.0.0.1:${address.port}` };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (!pid || processIdentity(Number(pid)) !== null) continue;
    const folder = join(tmpdir(), name);
    for (const engine of ['postgres/data', 'temporal']) {
      const pids = findProcesses({ folder: join(folder, engine), command: /postgres|start-dev/ });
      await Promise.all(pids.map((left) => stopProcess(left, [{ signal: 'SIGKILL', waitMs: 2_000 }])));
    }
    await rm(folder, { recursive: true, force: true });
  }
}
