import { join } from 'node:path';
import { openPlaces } from '../src/connectors/backups/open-places.ts';
import { type BackupProgress, createBackup } from '../src/db/backup/create-backup.ts';
import { listBackups } from '../src/db/backup/list-backups.ts';
import { pruneBackups } from '../src/db/backup/prune-backups.ts';
import { uploadBackup } from '../src/db/backup/upload-backup.ts';
import { verifyBackup } from '../src/db/backup/verify-backup.ts';
import { removeOldRows } from '../src/db/retention.ts';
import type { CareActivities, RemovedByAge, StoredBackup, VerifiedBackup } from '../src/domain/backups.ts';
import { type Message, raiseCause, resolveCause } from '../src/notify/causes.ts';
import { removeOldLogs } from '../src/home/remove-old-logs.ts';
import { VERSION } from '../src/version.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface CareCall {
  readonly signal: AbortSignal;
  readonly progress: (detail: string) => void;
}

const shown =
  ({ progress }: CareCall) =>
  ({ tables, tablesDone, rows }: BackupProgress): void =>
    progress(`${tablesDone} of ${tables} tables, ${rows} rows`);

/** Makes the backup of this name, unless it is there. */
export async function backUp(
  { database, keys, env }: ActivityDependencies,
  { name }: Parameters<CareActivities['createBackup']>[0],
  call: CareCall,
): Promise<StoredBackup> {
  const { local } = openPlaces(env);
  const { signal } = call;
  const { databaseUrl } = database;
  const onProgress = shown(call);
  const made = await createBackup({
    databaseUrl,
    place: local,
    keys,
    name,
    version: VERSION,
    signal,
    onProgress,
  });
  const { created_at, bytes, rows, schema_version } = made;
  const location = local.locationOf(name);
  return {
    name,
    location,
    created_at,
    bytes,
    rows,
    verified_at: null,
    database: made.database,
    schema_version,
  };
}

/** Copies it to the bucket, if there is one. */
export async function upload(
  { keys, env }: ActivityDependencies,
  { name }: Parameters<CareActivities['uploadBackup']>[0],
  { signal }: CareCall,
): Promise<string | null> {
  const { local, bucket } = openPlaces(env);
  return bucket ? uploadBackup(local, bucket, keys, name, signal) : null;
}

/** Restores the newest backup of the worker's database into a scratch database and compares. */
export async function verifyNewest(
  { database, keys, env }: ActivityDependencies,
  call: CareCall,
): Promise<VerifiedBackup | null> {
  const { local } = openPlaces(env);
  const { databaseUrl } = database;
  const own = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const { good } = await listBackups([local], keys);
  const found = good.find(({ manifest }) => manifest.database === own);
  if (!found) return null;
  const { signal } = call;
  return verifyBackup({ found, keys, adminUrl: databaseUrl, signal, onProgress: shown(call) });
}

/** Removes backups past their age. */
export async function prune({ keys, env }: ActivityDependencies) {
  const { all, settings } = openPlaces(env);
  return pruneBackups({ places: all, keys, keepDays: settings.BACKUP_RETENTION_DAYS, mode: 'remove' });
}

/** Removes rows and logs past their age. */
export async function removeOld(
  { database, env }: ActivityDependencies,
  { signal }: CareCall,
): Promise<RemovedByAge> {
  const { settings } = openPlaces(env);
  const days = { details: settings.RETENTION_DAYS, history: settings.RETENTION_HISTORY_DAYS };
  const rows = await removeOldRows(database.db, days, signal);
  const logs = await removeOldLogs(join(settings.DURASYNC_HOME, 'logs'), settings.RETENTION_DAYS, new Date());
  return { ...rows, logs };
}

const SAID = {
  backup: { wrong: 'The backup failed', over: 'A backup was made again' },
  'backup-check': { wrong: 'The newest backup does not come back', over: 'The newest backup comes back' },
} as const;

/** Tells people once of what went wrong, and once that it is over. */
export async function noteBackups(
  { database, wakeNotifications }: ActivityDependencies,
  { cause, problem }: Parameters<CareActivities['noteBackups']>[0],
): Promise<void> {
  const { wrong, over } = SAID[cause];
  const toSend = await database.db.transaction().execute((tx) => {
    if (problem !== null)
      return raiseCause(tx, { cause, kind: 'backup_failed', title: wrong, body: problem });
    const message: Message = { title: over, body: 'See: npx durasync backup list' };
    return resolveCause(tx, cause, message);
  });
  if (toSend) await wakeNotifications();
}
