import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { writePrivateFile } from '../home/home.ts';
import type { PostgresBinaries, RunAs } from './postgres-binaries.ts';

const run = promisify(execFile);

/** The embedded PostgreSQL can't use its data or can't start; the message says what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

export const POSTGRES_MAJOR = 18;
export const POSTGRES_USER = 'durasync';

/** Written into postgresql.conf once, so that a person may change them there or with ALTER SYSTEM. */
const INITIAL_SETTINGS = {
  shared_buffers: '256MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  // Loads come in bursts: fewer checkpoints, and smaller page images in the log after each.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  wal_compression: 'on',
  random_page_cost: '1.1',
  jit: 'off',
  // Tables of one run already load side by side; containers also give parallel workers too little shared memory.
  max_parallel_workers_per_gather: '0',
  log_checkpoints: 'off',
  log_lock_waits: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

export interface PostgresDataOptions {
  readonly dataDir: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly log: (message: string) => void;
}

/**
 * Makes the data folder with a random password when it is missing, and returns the password. The folder appears
 * whole or not at all. Safe to repeat.
 *
 * @throws EmbeddedPostgresError when the data is of another major version, its password is lost or the disk is full
 */
export async function preparePostgresData(options: PostgresDataOptions): Promise<string> {
  const { dataDir, runAs } = options;
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(() => null);
  const passwordFile = join(dirname(dataDir), 'password');
  const password = (await readFile(passwordFile, 'utf8').catch(() => '')).trim();
  if (version === null) return createData(options, passwordFile, password);
  if (version.trim() !== String(POSTGRES_MAJOR)) {
    throw new EmbeddedPostgresError(
      `${dataDir} holds data of PostgreSQL ${version.trim()}, and this release of Durasync runs PostgreSQL ${POSTGRES_MAJOR}. ` +
        'Make a backup with the release that wrote it, move that folder away, start, and restore the backup; or set DATABASE_URL to a PostgreSQL server.',
    );
  }
  if (password === '') {
    throw new EmbeddedPostgresError(
      `${passwordFile}, the password of the data in ${dataDir}, is missing. Put that file back, or move the data folder away to begin with an empty database.`,
    );
  }
  // Data that was copied here by root has to belong to the user that PostgreSQL runs as.
  if (runAs.user && (await stat(dataDir)).uid === 0) {
    await run('chown', ['-R', `${runAs.user.uid}:${runAs.user.gid}`, dataDir]);
  }
  return password;
}

async function createData(
  { dataDir, binaries, runAs, log }: PostgresDataOptions,
  passwordFile: string,
  knownPassword: string,
): Promise<string> {
  log('Setting up PostgreSQL for the first time');
  const password = knownPassword || randomBytes(24).toString('base64url');
  const draft = `${dataDir}.new`;
  const settings = Object.entries(INITIAL_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const login = [`--username=${POSTGRES_USER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const initdb = [...runAs.prefix, binaries.initdb, '-D', draft, ...login, ...locale, ...settings];
  const [command = binaries.initdb, ...args] = initdb;
  try {
    await writePrivateFile(passwordFile, password);
    await rm(draft, { recursive: true, force: true });
    await run(command, args, { env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
    await rename(draft, dataDir);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
    throw new EmbeddedPostgresError(
      explainLog(said) === 'disk-full'
        ? `PostgreSQL could not be set up because the disk that holds ${dirname(dataDir)} is full. Free some space (about 100 MB) and start again.`
        : `PostgreSQL could not be set up in ${dataDir}: ${said.trim()}`,
      { cause },
    );
  }
  return password;
}

/** Why PostgreSQL gave up, from what it logged. */
export function explainLog(text: string): 'port-taken' | 'disk-full' | 'leftovers' | 'other' {
  if (/could not bind|Address already in use/.test(text)) return 'port-taken';
  if (/No space left on device|ENOSPC|Disk quota exceeded/.test(text)) return 'disk-full';
  if (/pre-existing shared memory block|lock file "postmaster\.pid" already exists/.test(text))
    return 'leftovers';
  return 'other';
}
