import type { Readable, Writable } from 'node:stream';

/** A folder of a place that may be a backup. */
export interface PlacedFiles {
  readonly name: string;
  /** Bytes by the path inside the backup. */
  readonly files: ReadonlyMap<string, number>;
}

/** Where backups are kept. Its methods throw SyncFailure with a `BackupPlace…` code. */
export interface BackupPlace {
  readonly kind: 'local' | 's3';
  /** For people: the folder or the bucket. */
  readonly location: string;
  locationOf(name: string): string;
  /** Every folder that is named like a backup, whole or not, newest first. */
  list(): Promise<PlacedFiles[]>;
  readText(name: string, file: string): Promise<string>;
  open(name: string, file: string): Promise<Readable>;
  /** Puts a small file beside the others. */
  writeText(name: string, file: string, text: string): Promise<void>;
  /** Removes all of a backup, its manifest first, so that a half-removed one is none. Safe to repeat. */
  remove(name: string): Promise<void>;
  /** Removes what backups have left that never became whole, and that nobody writes to any more. */
  removeLeftovers(): Promise<void>;
}

/** A backup that is being written, invisible until it is finished. */
export interface BackupDraft {
  /** A new file; what is written is on disk when the stream has finished. */
  create(file: string): Writable;
  /** Makes it a backup: with its manifest, whole, in one step. */
  finish(manifestFile: string, manifest: string): Promise<void>;
  discard(): Promise<void>;
  /** The failure that a broken write should be. */
  explain(error: unknown): unknown;
}

/** The place where backups are made. */
export interface LocalBackupPlace extends BackupPlace {
  /** Drops earlier drafts of the same name: their writers are gone or will fail. */
  begin(name: string): Promise<BackupDraft>;
}

/** A place that takes whole backups from the local one. */
export interface RemoteBackupPlace extends BackupPlace {
  /** Streams one file; it is there whole or not at all. */
  upload(name: string, file: string, content: Readable, bytes: number, signal?: AbortSignal): Promise<void>;
}
