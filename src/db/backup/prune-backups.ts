import type { PrunedBackups } from '../../domain/backups.ts';
import type { KeyRing } from '../../key-ring.ts';
import type { BackupPlace } from './backup-place.ts';
import { type FoundBackup, listBackups, newestFirst } from './list-backups.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * The backups that are past their age. Of each database and place the newest stays, and so does the newest one that
 * was restored and found equal; what is no whole backup never counts as one.
 */
export function pastTheirAge(good: readonly FoundBackup[], keepDays: number, now: Date): FoundBackup[] {
  const before = new Date(now.getTime() - keepDays * DAY_MS).toISOString();
  const group = ({ place, manifest }: FoundBackup): string => `${place.location} ${manifest.database}`;
  const kept = new Set<string>();
  return newestFirst(good).filter((backup) => {
    const isNewest = keepFirst(kept, group(backup));
    const isNewestVerified =
      backup.shown.verified_at !== null && keepFirst(kept, `${group(backup)} verified`);
    return !isNewest && !isNewestVerified && backup.manifest.created_at < before;
  });
}

function keepFirst(kept: Set<string>, what: string): boolean {
  if (kept.has(what)) return false;
  kept.add(what);
  return true;
}

export interface PruneOptions {
  readonly places: readonly BackupPlace[];
  readonly keys: KeyRing;
  readonly keepDays: number;
  readonly mode: 'remove' | 'show';
}

/** Removes backups past their age, and what never became one. Safe to repeat. @throws SyncFailure BackupPlace… when the rest is done */
export async function pruneBackups({ places, keys, keepDays, mode }: PruneOptions): Promise<PrunedBackups> {
  const { good, failures } = await listBackups(places, keys);
  const old = pastTheirAge(good, keepDays, new Date());
  if (mode === 'remove') {
    for (const { place, manifest } of old) await place.remove(manifest.name);
    if (failures.length === 0) for (const place of places) await place.removeLeftovers();
  }
  if (failures[0]) throw failures[0];
  return { removed: old.map(({ shown }) => shown.location), kept: good.length - old.length };
}
