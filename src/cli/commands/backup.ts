import { createBackup } from '../../db/backup/create-backup.ts';
import { findBackup, listBackups } from '../../db/backup/list-backups.ts';
import { pruneBackups } from '../../db/backup/prune-backups.ts';
import { uploadBackup } from '../../db/backup/upload-backup.ts';
import { verifyBackup } from '../../db/backup/verify-backup.ts';
import { backupName } from '../../domain/backups.ts';
import { VERSION } from '../../version.ts';
import { megabytes, placesFrom, showing, withBackups } from '../backup-context.ts';
import { EXIT } from '../context.ts';
import { count, printJson, printLine, renderTable } from '../output.ts';

interface JsonOption {
  readonly json?: true;
}

interface VerifyOptions extends JsonOption {
  readonly from?: string;
  readonly scratch?: string;
}

/** Makes a backup in this process, and copies it to the bucket when one is set. */
export async function create({ json }: JsonOption): Promise<void> {
  await withBackups(async ({ databaseUrl, places, keys, line, signal }) => {
    const { local, bucket } = places;
    const name = backupName(new Date().toISOString());
    const onProgress = showing(line, 'copying');
    const url = await databaseUrl();
    await createBackup({ databaseUrl: url, place: local, keys, name, version: VERSION, signal, onProgress });
    line.update('uploading');
    const uploading = bucket ? uploadBackup(local, bucket, keys, name, signal) : null;
    const uploaded = await uploading?.catch((error: unknown) => {
      line.clear();
      process.stderr.write(`${local.locationOf(name)} is made, but it could not be copied to the bucket.\n`);
      throw error;
    });
    line.clear();
    const { shown, manifest } = await findBackup([local], keys, name);
    if (json) return printJson({ ...shown, uploaded: uploaded ?? null });
    printLine(
      `${name}: ${count(shown.rows)} rows of ${manifest.tables.length} tables, ${megabytes(shown.bytes)}`,
    );
    printLine(`in ${shown.location}${uploaded ? ` and ${uploaded}` : ''}`);
    printLine(`Prove it with: npx durasync backup verify ${name}`);
  });
}

/** Shows every whole backup; says on standard error what is none, and which place can't be read. Returns the exit code. */
export async function list({ json }: JsonOption): Promise<number> {
  return withBackups(async ({ places, keys }) => {
    const { good, broken, failures } = await listBackups(places.all, keys);
    const code = failures.length > 0 ? EXIT.failed : EXIT.ok;
    for (const { message } of failures) process.stderr.write(`${message}\n`);
    for (const { location, reason } of broken) process.stderr.write(`Not a backup: ${location}: ${reason}\n`);
    if (json) printJson(good.map(({ shown }) => shown));
    if (json) return code;
    if (good.length === 0) {
      printLine(
        `No backups in ${places.all.map(({ location }) => location).join(' and ')}. Make one with: npx durasync backup create`,
      );
      return code;
    }
    const minute = (at: string): string => at.slice(0, 16).replace('T', ' ');
    const rows = good.map(({ shown }) => [
      shown.name,
      shown.database,
      minute(shown.created_at),
      count(shown.rows),
      megabytes(shown.bytes),
      shown.verified_at === null ? 'never' : minute(shown.verified_at),
      shown.location,
    ]);
    const head = ['name', 'database', 'made (UTC)', 'rows', 'size', 'verified', 'location'];
    printLine(renderTable(head, rows, ['rows', 'size']));
    return code;
  });
}

/** Restores a backup into a scratch database, compares every table, and drops it. */
export async function verify(name: string | undefined, options: VerifyOptions): Promise<void> {
  await withBackups(async ({ databaseUrl, places, keys, line, signal }) => {
    const found = await findBackup(placesFrom(places, options.from), keys, name);
    const adminUrl = options.scratch ?? (await databaseUrl());
    const onProgress = showing(line, 'comparing');
    const verified = await verifyBackup({ found, keys, adminUrl, signal, onProgress });
    line.clear();
    if (options.json) return printJson(verified);
    printLine(
      `${verified.name} is good: ${count(verified.rows)} rows of ${verified.tables} tables came back the same.`,
    );
  });
}

/** Removes backups past their age. */
export async function prune({ json, dryRun }: JsonOption & { readonly dryRun?: true }): Promise<void> {
  await withBackups(async ({ places, keys }) => {
    const keepDays = places.settings.BACKUP_RETENTION_DAYS;
    const mode = dryRun ? 'show' : 'remove';
    const pruned = await pruneBackups({ places: places.all, keys, keepDays, mode });
    if (json) return printJson({ dry_run: dryRun ?? false, ...pruned });
    for (const location of pruned.removed) printLine(`${dryRun ? 'would remove' : 'removed'} ${location}`);
    printLine(`${pruned.kept} kept; those older than ${keepDays} days go, the last good one never`);
  });
}
