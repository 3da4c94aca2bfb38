import { findBackup } from '../../db/backup/list-backups.ts';
import { restoreBackup } from '../../db/backup/restore-backup.ts';
import { reconcileAfterRestore } from '../../installation/reconcile-after-restore.ts';
import { placesFrom, showing, withBackups } from '../backup-context.ts';
import { UsageError } from '../context.ts';
import { count, printJson, printLine } from '../output.ts';

interface RestoreOptions {
  readonly into: string;
  readonly yes?: true;
  readonly from?: string;
  readonly json?: true;
}

/** Brings a backup back into an empty or a named database. */
export async function restore(name: string, options: RestoreOptions): Promise<void> {
  const { into } = options;
  if (!/^postgres(ql)?:\/\//.test(into) || !URL.canParse(into)) {
    throw new UsageError('--into must be an address such as postgres://user:password@host:5432/database');
  }
  await withBackups(async ({ places, keys, line, signal, config, home, env }) => {
    const found = await findBackup(placesFrom(places, options.from), keys, name);
    const onProgress = showing(line, 'restoring');
    const liveData = options.yes ? 'replace' : 'refuse';
    const restored = await restoreBackup({ found, keys, into, liveData, signal, onProgress });
    line.clear();
    const reconciled = await reconcileAfterRestore(config, home, env, into);
    if (options.json) return printJson({ ...restored, reconciled });
    printLine(
      `${name}: ${count(restored.rows)} rows of ${restored.tables} tables are in ${restored.database}, compared.`,
    );
    if (restored.migrated.length > 0) printLine(`migrated on: ${restored.migrated.join(', ')}`);
    for (const notice of restored.notices) printLine(notice);
    if (restored.replaced !== null) {
      printLine(
        `What was there is kept as ${restored.replaced}. When it is not needed any more: DROP DATABASE ${restored.replaced}`,
      );
    }
    printLine(reconciled.message);
  });
}
