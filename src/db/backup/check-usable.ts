import type { KeyRing } from '../../key-ring.ts';
import { migrationNames } from '../migrate.ts';
import { type Manifest, unusable } from './manifest.ts';

/**
 * Refuses a backup that this release, this PostgreSQL or these keys can't bring back whole.
 *
 * @throws SyncFailure BackupUnusable with what to do
 */
export async function checkUsable(manifest: Manifest, keys: KeyRing, postgresMajor: number): Promise<void> {
  const { name } = manifest;
  const missing = manifest.key_ids.filter((id) => !keys.holds(id));
  if (missing.length > 0) {
    throw unusable(
      name,
      `secrets inside are sealed with ${missing.map((id) => `'${id}'`).join(', ')}, which DURASYNC_SECRET_KEYS does ` +
        'not hold; add that key behind the first one and try again',
    );
  }
  const known = await migrationNames();
  const foreign = manifest.migrations.filter((each) => !known.includes(each));
  if (foreign.length > 0) {
    throw unusable(
      name,
      `its schema is newer than this release knows (${foreign.join(', ')}); use Durasync ${manifest.durasync_version} or newer`,
    );
  }
  const upTo = known.filter((each) => each <= manifest.schema_version);
  const skipped = upTo.filter((each) => !manifest.migrations.includes(each));
  if (skipped.length > 0) {
    throw unusable(
      name,
      `its database never had ${skipped.join(', ')}, which this release puts before ${manifest.schema_version}; ` +
        `use Durasync ${manifest.durasync_version}`,
    );
  }
  if (manifest.postgres_major > postgresMajor) {
    throw unusable(
      name,
      `it is of PostgreSQL ${manifest.postgres_major} and the server is ${postgresMajor}; use a server of ` +
        `${manifest.postgres_major} or newer`,
    );
  }
}
