/** What the workflows that care for the database say to their activities, and what people see of backups. */

/** One whole backup in one place, as `backup list --json` and the HTTP API show it. */
export interface StoredBackup {
  readonly name: string;
  /** The folder, or `s3://bucket/prefix/name`. */
  readonly location: string;
  /** When its snapshot was taken (ISO). */
  readonly created_at: string;
  /** Compressed, all files. */
  readonly bytes: number;
  readonly rows: number;
  /** When it was last restored into a scratch database and found equal (ISO), or null. */
  readonly verified_at: string | null;
  readonly database: string;
  readonly schema_version: string;
}

/** What one verification compared. */
export interface VerifiedBackup {
  readonly name: string;
  readonly location: string;
  readonly tables: number;
  readonly rows: number;
  readonly verified_at: string;
}

/** Backups that were removed because of their age, by location. */
export interface PrunedBackups {
  readonly removed: readonly string[];
  readonly kept: number;
}

/** Rows and files that were removed because of their age, by what they were. */
export type RemovedByAge = Readonly<Record<string, number>>;

/** The input of `maintainBackup`; with none, the name comes from the time the run was meant for. */
export interface MaintainBackupInput {
  readonly name?: string;
}

export interface MaintainedBackup {
  readonly backup: StoredBackup;
  /** Its location in the bucket; null when none is set. */
  readonly uploaded: string | null;
}

export interface MaintainedRetention {
  /** The newest backup, restored and compared; null when there is none or the check could not be made. */
  readonly verified: VerifiedBackup | null;
  /** Null when no backup was removed because the newest one is not known to be good. */
  readonly backups: PrunedBackups | null;
  readonly removed: RemovedByAge;
  /** What a person should hear of. */
  readonly notices: readonly string[];
}

/** Whether backups are made, and whether they come back. */
type BackupCause = 'backup' | 'backup-check';

/** Each is safe to repeat: a second backup of the same name is the first one. */
export interface CareActivities {
  /** Throws BackupPlaceFull, BackupPlaceRefused. */
  createBackup(input: { readonly name: string }): Promise<StoredBackup>;
  /** Copies a local backup to the bucket, its manifest last; null without a bucket. Throws BackupPlace… failures. */
  uploadBackup(input: { readonly name: string }): Promise<string | null>;
  /** Restores the newest backup of this database into a scratch database and compares; null when there is none. */
  verifyNewestBackup(): Promise<VerifiedBackup | null>;
  /** Removes backups past their age, never the last good one. */
  pruneBackups(): Promise<PrunedBackups>;
  /** Lets people hear once of what went wrong, and once that it is over. */
  noteBackups(input: { readonly cause: BackupCause; readonly problem: string | null }): Promise<void>;
  /** Removes rows and logs past their age, in batches. */
  removeOldRows(): Promise<RemovedByAge>;
}

/** The one slot for backups asked for by hand: a second start finds the one under way. */
export const MANUAL_BACKUP_ID = 'maintain/backup';

/** `durasync_backup_YYYYMMDD_HHMMSS` of an instant, in UTC. */
export const backupName = (iso: string): string =>
  `durasync_backup_${iso.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')}`;

/** Whether a folder is called as backups are. */
export const isBackupName = (name: string): boolean => /^durasync_backup_\d{8}_\d{6}$/.test(name);

/** Written last: a folder without one is no backup. */
export const MANIFEST_FILE = 'manifest.json';
