import type { BackupPlace, LocalBackupPlace, RemoteBackupPlace } from '../../db/backup/backup-place.ts';
import { type Environment, readSettings } from '../../settings.ts';
import { backupFolder, type BackupSettings, backupSettings } from './backup-settings.ts';
import { localFolder } from './local-folder.ts';
import { s3Bucket } from './s3-bucket.ts';

/** Where backups are kept: always a folder, and a bucket when one is set. */
export interface BackupPlaces {
  readonly settings: BackupSettings;
  readonly local: LocalBackupPlace;
  readonly bucket: RemoteBackupPlace | null;
  readonly all: readonly BackupPlace[];
}

/** Connects to nothing yet. @throws ConfigurationError */
export function openPlaces(env: Environment): BackupPlaces {
  const settings = readSettings(backupSettings, env);
  const local = localFolder(backupFolder(settings));
  const bucket = settings.AWS_S3_BACKUP_BUCKET ? s3Bucket(settings, settings.AWS_S3_BACKUP_BUCKET) : null;
  return { settings, local, bucket, all: bucket ? [local, bucket] : [local] };
}
