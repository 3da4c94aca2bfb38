import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDatabase, type DatabaseConnection } from '../../src/db/connect.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrateToLatest } from '../../src/db/migrate.ts';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded-server.ts';
import { startUnsteadyNetwork, type UnsteadyNetwork } from '../support/unsteady-network.ts';

const DATABASE = 'campaign';
const DISK_MB = 24;

/** Durable engines of a campaign alone, as people run them, which can be hurt. */
export interface ChaosEngines {
  /** Past the unsteady network, for who looks on. */
  readonly database: DatabaseConnection;
  /** Through the unsteady network, for workers. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly network: UnsteadyNetwork;
  /** Null where no small disk can be made: it takes root and a tmpfs. */
  readonly disk: SmallDisk | null;
  killPostgres(): Promise<void>;
  restartPostgres(): Promise<void>;
  killTemporal(): Promise<void>;
  stop(): Promise<void>;
}

interface SmallDisk {
  fill(): void;
  free(): Promise<void>;
}

export async function startChaosEngines(cliPath: string): Promise<ChaosEngines> {
  const folder = await mkdtemp(join(tmpdir(), `durasync-test-${process.pid}-chaos-`));
  // PostgreSQL runs as another user where the tests run as root.
  await chmod(folder, 0o755);
  const startPostgres = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dataDir: join(folder, 'postgres', 'data'),
      logFile: join(folder, 'postgres.log'),
      port: {
        use: 'PostgreSQL',
        preferred: 28_000,
        fixedBy: port === undefined ? null : { variable: 'DURASYNC_PG_PORT', port },
      },
    });
  const startTemporal = (port?: number): Promise<EmbeddedTemporal> =>
    startEmbeddedTemporal({
      cliPath,
      dataDir: join(folder, 'temporal'),
      state: 'kept',
      port: {
        use: 'Temporal',
        preferred: 28_500,
        fixedBy: port === undefined ? null : { variable: 'DURASYNC_TEMPORAL_PORT', port },
      },
      uiPort: { use: "Temporal's Web UI", preferred: 28_800, fixedBy: null },
      namespaces: ['default'],
      logFile: join(folder, 'temporal.log'),
    });
  let [postgres, temporal] = await Promise.all([startPostgres(), startTemporal()]);
  await postgres.ensureDatabase(DATABASE);
  const directUrl = postgres.databaseUrl(DATABASE);
  await migrateToLatest(directUrl);
  const database = connectDatabase({
    databaseUrl: directUrl,
    applicationName: 'durasync chaos',
    onIdleError: () => undefined,
  });
  const network = await startUnsteadyNetwork(postgres.port);
  const disk = await makeSmallDisk(join(folder, 'disk'), database);
  const { port } = postgres;
  const temporalPort = Number(temporal.address.split(':')[1]);
  return {
    database,
    databaseUrl: Object.assign(new URL(directUrl), { port: String(network.port) }).href,
    temporalAddress: temporal.address,
    network,
    disk,
    killPostgres: async () => {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.exited;
      postgres = await startPostgres(port);
    },
    restartPostgres: async () => {
      await postgres.stop();
      postgres = await startPostgres(port);
    },
    killTemporal: async () => {
      process.kill(temporal.pid, 'SIGKILL');
      await temporal.exited;
      temporal = await startTemporal(temporalPort);
    },
    stop: async () => {
      network.close();
      await database.close();
      await Promise.all([postgres.stop(), temporal.stop()]);
      if (disk) execFileSync('umount', ['--lazy', join(folder, 'disk')]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A file system of a few megabytes, on which new tables, which are those of staging, are made from now on. */
async function makeSmallDisk(path: string, { pool }: DatabaseConnection): Promise<SmallDisk | null> {
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0777`, 'tmpfs', path], {
      stdio: 'ignore',
    });
  } catch {
    return null;
  }
  const space = join(path, 'space');
  mkdirSync(space);
  const { rows } = await pool.query<{ uid: number }>(
    `SELECT (pg_stat_file('base')).size AS size, current_setting('data_directory') AS folder`,
  );
  const folder = (rows[0] as unknown as { folder: string }).folder;
  execFileSync('chown', [`--reference=${folder}`, space]);
  await pool.query(`CREATE TABLESPACE small LOCATION '${space}'`);
  await pool.query(`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET default_tablespace = small', current_database()); END $$`);
  const filler = join(path, 'filler');
  return {
    fill: () => {
      try {
        writeFileSync(filler, Buffer.alloc(DISK_MB * 1024 * 1024));
      } catch {
        // Full is what it should be.
      }
    },
    free: () => rm(filler, { force: true }),
  };
}
