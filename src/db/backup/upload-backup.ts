import { MANIFEST_FILE } from '../../domain/backups.ts';
import type { KeyRing } from '../../key-ring.ts';
import type { BackupPlace, RemoteBackupPlace } from './backup-place.ts';
import { findBackup } from './list-backups.ts';

/**
 * Copies a whole backup to a bucket, its manifest last, and returns its location there. Safe to repeat: files that are
 * there with their size are not sent again.
 *
 * @throws SyncFailure BackupUnusable, InvalidInput when there is no such backup, BackupPlace…
 */
export async function uploadBackup(
  from: BackupPlace,
  to: RemoteBackupPlace,
  keys: KeyRing,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const { manifest } = await findBackup([from], keys, name);
  const there = (await to.list()).find((each) => each.name === name)?.files ?? new Map<string, number>();
  for (const { file, bytes } of manifest.tables) {
    signal?.throwIfAborted();
    if (there.get(file) === bytes) continue;
    await to.upload(name, file, await from.open(name, file), bytes, signal);
  }
  signal?.throwIfAborted();
  await to.writeText(name, MANIFEST_FILE, await from.readText(name, MANIFEST_FILE));
  return to.locationOf(name);
}
