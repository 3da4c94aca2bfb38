import type { VerifiedBackup } from '../../domain/backups.ts';
import type { KeyRing } from '../../key-ring.ts';
import { migrateToLatest } from '../migrate.ts';
import type { BackupProgress } from './create-backup.ts';
import { checkUsable } from './check-usable.ts';
import { type FoundBackup, markVerified } from './list-backups.ts';
import { loadBackup } from './load-backup.ts';
import { serverMajor } from './server-major.ts';
import { restoreViews } from './restore-views.ts';
import { createScratch } from './scratch-database.ts';

export interface VerifyOptions {
  readonly found: FoundBackup;
  readonly keys: KeyRing;
  /** Of a database on the server that the scratch database is made on. */
  readonly adminUrl: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/**
 * Restores a backup into a scratch database, compares every table by checksum and row count, migrates it to this
 * release, and drops it. Keeps beside the backup that it was good.
 *
 * @throws SyncFailure BackupUnusable naming what is wrong with it, RestoreRefused
 */
export async function verifyBackup(options: VerifyOptions): Promise<VerifiedBackup> {
  const { found, keys, adminUrl, signal, onProgress } = options;
  const { manifest, place } = found;
  await checkUsable(manifest, keys, await serverMajor(adminUrl));
  const scratch = await createScratch(adminUrl, manifest.name);
  try {
    const { databaseUrl } = scratch;
    await loadBackup({ databaseUrl, found, check: 'compare', signal, onProgress });
    await migrateToLatest(databaseUrl);
    await restoreViews(databaseUrl, manifest);
  } finally {
    await scratch.drop();
  }
  const verifiedAt = new Date().toISOString();
  await markVerified(place, manifest.name, keys, verifiedAt);
  return {
    name: manifest.name,
    location: place.locationOf(manifest.name),
    tables: manifest.tables.length,
    rows: manifest.rows,
    verified_at: verifiedAt,
  };
}
