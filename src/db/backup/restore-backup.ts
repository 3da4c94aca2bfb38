import { SyncFailure } from '../../domain/failures.ts';
import type { RunId } from '../../domain/ids.ts';
import type { KeyRing } from '../../key-ring.ts';
import { connectDatabase } from '../connect.ts';
import { migrateToLatest } from '../migrate.ts';
import { closeRun } from '../runs.ts';
import { checkUsable } from './check-usable.ts';
import type { BackupProgress } from './create-backup.ts';
import { inspectTarget, type Target } from './inspect-target.ts';
import type { FoundBackup } from './list-backups.ts';
import { quoted } from './list-relations.ts';
import { loadBackup } from './load-backup.ts';
import { restoreViews } from './restore-views.ts';
import { createScratch } from './scratch-database.ts';
import { serverMajor } from './server-major.ts';
import { openClient } from './snapshot.ts';
import { refuseOpenRuns, takePlace } from './take-place.ts';

export interface RestoreOptions {
  readonly found: FoundBackup;
  readonly keys: KeyRing;
  readonly into: string;
  /** What to do with a database that holds rows. */
  readonly liveData: 'refuse' | 'replace';
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface RestoredBackup {
  readonly name: string;
  readonly database: string;
  readonly tables: number;
  readonly rows: number;
  /** What the database with the old rows is called now; null when there were none. */
  readonly replaced: string | null;
  /** Migrations that are newer than the backup. */
  readonly migrated: readonly string[];
  readonly notices: readonly string[];
}

/**
 * Brings a backup back, all of it or nothing: into a database of its own, compared with the backup and migrated to
 * this release, which then takes the name of the target. Runs that were open in the backup are ended. A database with
 * rows is never dropped: it gets another name.
 *
 * @throws SyncFailure RestoreRefused for live data without consent and for open runs, BackupUnusable
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoredBackup> {
  const { found, keys, into, liveData, signal, onProgress } = options;
  const { manifest } = found;
  const target = await inspectTarget(into);
  if (liveData === 'refuse') refuseLiveData(target, manifest.name);
  await checkOpenRuns(target);
  await checkUsable(manifest, keys, await serverMajor(target.adminUrl));
  const scratch = await createScratch(target.adminUrl, manifest.name);
  try {
    const { databaseUrl } = scratch;
    const notices = await loadBackup({ databaseUrl, found, check: 'compare', signal, onProgress });
    const migrated = await migrateToLatest(databaseUrl, (message) => notices.push(message));
    await restoreViews(databaseUrl, manifest);
    await settle(databaseUrl);
    signal?.throwIfAborted();
    const aside = await takePlace(target, scratch.name, new Date());
    const isKept = aside !== null && target.tablesWithRows.length > 0;
    if (aside !== null && !isKept) await dropEmpty(target.adminUrl, aside);
    return {
      name: manifest.name,
      database: target.name,
      tables: manifest.tables.length,
      rows: manifest.rows,
      replaced: isKept ? aside : null,
      migrated,
      notices,
    };
  } finally {
    await scratch.drop();
  }
}

const SHOWN_TABLES = 5;

function refuseLiveData({ name, tablesWithRows }: Target, backup: string): void {
  const [first] = tablesWithRows;
  if (first === undefined) return;
  const shown = tablesWithRows.slice(0, SHOWN_TABLES).join(', ');
  const more =
    tablesWithRows.length > SHOWN_TABLES ? ` and ${tablesWithRows.length - SHOWN_TABLES} more` : '';
  throw new SyncFailure(
    'RestoreRefused',
    `The database ${name} holds rows (${shown}${more}). To replace it by ${backup}, add --yes: it is kept under ` +
      'another name. Or name a database that is not there yet.',
  );
}

async function checkOpenRuns({ exists, databaseUrl, tablesWithRows }: Target): Promise<void> {
  if (!exists || !tablesWithRows.includes('durasync.sync_runs')) return;
  const client = await openClient(databaseUrl, 'durasync restore');
  await refuseOpenRuns(client).finally(() => client.end());
}

/** Nobody hears of old news again, and who was logged in then is not now. */
const FORGET = `
  UPDATE durasync.notifications SET dispatched_at = now() WHERE dispatched_at IS NULL;
  UPDATE durasync.notification_deliveries SET status = 'failed', ended_at = now(), error_message = 'restored from a backup'
  WHERE status = 'pending';
  DELETE FROM durasync.sessions; DELETE FROM durasync.login_codes; DELETE FROM durasync.open_causes`;

/** Ends what was open when the backup was made, and lets PostgreSQL look at the rows. */
async function settle(databaseUrl: string): Promise<void> {
  const connection = connectDatabase({ databaseUrl, applicationName: 'durasync restore', maxConnections: 1 });
  try {
    const open = await connection.db
      .selectFrom('durasync.sync_runs')
      .select(['run_id', 'status'])
      .where('status', 'in', ['running', 'held'])
      .execute();
    for (const { run_id, status } of open) {
      await closeRun(connection.db, {
        runId: run_id as RunId,
        status: status === 'held' ? 'rejected' : 'failed',
        message:
          'It was open when the backup was made that this database was restored from. Start a new run.',
      });
    }
    await connection.pool.query(FORGET);
    await connection.pool.query('ANALYZE');
  } finally {
    await connection.close();
  }
}

async function dropEmpty(adminUrl: string, name: string): Promise<void> {
  const admin = await openClient(adminUrl, 'durasync restore');
  await admin.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`).finally(() => admin.end());
}
