import { MANIFEST_FILE, type StoredBackup } from '../../domain/backups.ts';
import { SyncFailure } from '../../domain/failures.ts';
import type { KeyRing } from '../../key-ring.ts';
import type { BackupPlace, PlacedFiles } from './backup-place.ts';
import { type Manifest, readManifest, signatureOf, unusable } from './manifest.ts';

const VERIFIED_FILE = 'verified.json';
const PURPOSE = 'durasync backup verified';

/** A whole backup and where it is. */
export interface FoundBackup {
  readonly place: BackupPlace;
  readonly manifest: Manifest;
  readonly shown: StoredBackup;
}

/** Something that is called like a backup and is none. */
interface BrokenBackup {
  readonly name: string;
  readonly location: string;
  readonly reason: string;
}

export interface BackupList {
  /** Newest first. */
  readonly good: readonly FoundBackup[];
  readonly broken: readonly BrokenBackup[];
  /** Why places could not be read. */
  readonly failures: readonly SyncFailure[];
}

/**
 * The backups of all places that are whole: the manifest is as it was written and every file has its size.
 */
export async function listBackups(places: readonly BackupPlace[], keys: KeyRing): Promise<BackupList> {
  const good: FoundBackup[] = [];
  const broken: BrokenBackup[] = [];
  const failures: SyncFailure[] = [];
  for (const place of places) {
    try {
      for (const placed of await place.list()) {
        const found = await look(place, placed, keys);
        if ('manifest' in found) good.push(found);
        else broken.push(found);
      }
    } catch (error) {
      if (!(error instanceof SyncFailure)) throw error;
      failures.push(error);
    }
  }
  return { good: newestFirst(good), broken, failures };
}

/** Those of one instant stay in the order of their places. */
export const newestFirst = (backups: readonly FoundBackup[]): FoundBackup[] =>
  backups.toSorted((a, b) => b.manifest.created_at.localeCompare(a.manifest.created_at));

async function look(
  place: BackupPlace,
  placed: PlacedFiles,
  keys: KeyRing,
): Promise<FoundBackup | BrokenBackup> {
  const { name } = placed;
  const location = place.locationOf(name);
  try {
    const { manifest, text } = await readWhole(place, placed, keys);
    const { created_at, bytes, rows, database, schema_version } = manifest;
    const verified_at = await readVerified(place, placed, keys, text);
    return {
      place,
      manifest,
      shown: { name, location, created_at, bytes, rows, verified_at, database, schema_version },
    };
  } catch (error) {
    if (isPlaceDown(error)) throw error;
    return { name, location, reason: error instanceof Error ? error.message : String(error) };
  }
}

const isPlaceDown = (error: unknown): boolean =>
  error instanceof SyncFailure && error.code === 'BackupPlaceUnavailable';

async function readWhole(
  place: BackupPlace,
  { name, files }: PlacedFiles,
  keys: KeyRing,
): Promise<{ manifest: Manifest; text: string }> {
  if (!files.has(MANIFEST_FILE)) throw unusable(name, 'it has no manifest, so it was never finished');
  const text = await place.readText(name, MANIFEST_FILE);
  const manifest = readManifest(name, text, keys);
  for (const { file, bytes } of manifest.tables) {
    const found = files.get(file);
    if (found === undefined) throw unusable(name, `${file} is missing`);
    if (found !== bytes) throw unusable(name, `${file} has ${found} bytes instead of ${bytes}`);
  }
  return { manifest, text };
}

/**
 * The newest whole backup, or the one of this name, from the first place that has it.
 *
 * @throws SyncFailure InvalidInput when there is none, BackupUnusable when it is broken, BackupPlace… when it may be in a
 * place that can't be read
 */
export async function findBackup(
  places: readonly BackupPlace[],
  keys: KeyRing,
  name: string | undefined,
): Promise<FoundBackup> {
  const { good, broken, failures } = await listBackups(places, keys);
  const found = good.find((each) => name === undefined || each.manifest.name === name);
  if (found) return found;
  const bad = broken.find((each) => each.name === name);
  if (bad) throw new SyncFailure('BackupUnusable', bad.reason);
  if (failures[0]) throw failures[0];
  const where = places.map(({ location }) => location).join(' and ');
  throw new SyncFailure(
    'InvalidInput',
    name === undefined
      ? `There is no backup in ${where}. Make one with: npx durasync backup create`
      : `There is no backup '${name}' in ${where}. See: npx durasync backup list`,
  );
}

/** Keeps beside a backup that it was restored and found equal. */
export async function markVerified(
  place: BackupPlace,
  name: string,
  keys: KeyRing,
  at: string,
): Promise<void> {
  const of = signatureOf(await place.readText(name, MANIFEST_FILE));
  const mark = { verified_at: at, signature: keys.sign(`${at}\n${of}`, PURPOSE) };
  await place.writeText(name, VERIFIED_FILE, JSON.stringify(mark));
}

async function readVerified(
  place: BackupPlace,
  { name, files }: PlacedFiles,
  keys: KeyRing,
  manifest: string,
): Promise<string | null> {
  if (!files.has(VERIFIED_FILE)) return null;
  try {
    const mark = JSON.parse(await place.readText(name, VERIFIED_FILE)) as Record<string, unknown>;
    const { verified_at: at, signature } = mark;
    if (typeof at !== 'string' || typeof signature !== 'string') return null;
    return keys.isSigned(`${at}\n${signatureOf(manifest)}`, PURPOSE, signature) ? at : null;
  } catch {
    return null;
  }
}
