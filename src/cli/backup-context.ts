import { openPlaces, type BackupPlaces } from '../connectors/backups/open-places.ts';
import type { BackupPlace } from '../db/backup/backup-place.ts';
import type { BackupProgress } from '../db/backup/create-backup.ts';
import { readRuntime } from '../home/runtime.ts';
import { type KeyRing, openKeyRing } from '../key-ring.ts';
import { type CommandContext, commandContext, UsageError } from './context.ts';
import { count } from './output.ts';
import { type ProgressLine, progressLine } from './progress-line.ts';

/** What commands about backups work with. They need no Temporal, and most of them no database. */
export interface BackupContext extends CommandContext {
  readonly places: BackupPlaces;
  readonly keys: KeyRing;
  readonly line: ProgressLine;
  /** Aborted by Ctrl-C, so that nothing half-made stays behind. */
  readonly signal: AbortSignal;
  /** The database that is configured or that runs in the home. @throws UsageError */
  databaseUrl(): Promise<string>;
}

/** Runs a command about backups; its progress line is taken away in the end. */
export async function withBackups<T>(work: (context: BackupContext) => Promise<T>): Promise<T> {
  const context = await commandContext();
  const { config, home, env } = context;
  const line = progressLine();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new UsageError('Stopped; nothing was changed.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  try {
    return await work({
      ...context,
      line,
      signal: stop.signal,
      places: openPlaces({ ...env, DURASYNC_HOME: home.dir }),
      keys: await openKeyRing(config, home),
      databaseUrl: async () => {
        const url = config.DATABASE_URL ?? (await readRuntime(home))?.databaseUrl;
        if (url !== undefined) return url;
        throw new UsageError(
          `No PostgreSQL runs in ${home.dir}. Start it with: npm start (or set DATABASE_URL).`,
        );
      },
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    line.clear();
  }
}

/** The places that `--from` leaves. @throws UsageError */
export function placesFrom(
  { all, bucket, local }: BackupPlaces,
  from: string | undefined,
): readonly BackupPlace[] {
  if (from === undefined) return all;
  if (from === 'local') return [local];
  if (from !== 's3') throw new UsageError(`--from must be local or s3, not '${from}'.`);
  if (bucket) return [bucket];
  throw new UsageError('--from s3 needs AWS_S3_BACKUP_BUCKET to be set.');
}

export const showing =
  (line: ProgressLine, verb: string) =>
  ({ tables, tablesDone, rows, bytes }: BackupProgress): void =>
    line.update(`${verb}: ${tablesDone} of ${tables} tables, ${count(rows)} rows, ${megabytes(bytes)}`);

export const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
