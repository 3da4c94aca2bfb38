import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../config.ts';
import { audit } from '../../db/audit.ts';
import type { Session } from '../../installation/session.ts';
import { startRun } from '../../temporal/runs.ts';
import { actor, commandContext, EXIT } from '../context.ts';
import { follow, withRunningEngines } from '../follow-run.ts';
import { exitCodeOf, printLine, renderResult } from '../output.ts';
import { loadUpload, printErrors, readUpload } from './import.ts';

/** Runs the rentals, then loads the files of DURASYNC_IMPORT_DIR. Returns the worst exit code. */
export async function syncAll(): Promise<number> {
  const { env } = await commandContext();
  const folder = readConfig(env).DURASYNC_IMPORT_DIR;
  return withRunningEngines(async (session) => {
    const started = await startRun(session.client, {
      sync: 'rentals',
      trigger: 'manual',
      triggeredBy: actor(),
    });
    await audit(session.database.db, {
      actor: actor(),
      action: 'run',
      subject: 'rentals',
      detail: { runId: started.runId },
    });
    const result = await follow(session, started);
    printLine(renderResult(result));
    const imported = folder === undefined ? EXIT.ok : await importFolder(session, folder);
    return Math.max(exitCodeOf(result), imported);
  });
}

/** Loads every file of a folder and moves it to `done/`; one that can't be used stays where it is. */
async function importFolder(session: Session, folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && /\.(csv|xlsx)$/i.test(entry.name))
    .map(({ name }) => name);
  let worst: number = EXIT.ok;
  for (const name of names.sort()) {
    const path = join(folder, name);
    try {
      printLine(`\n${name}`);
      const file = await readUpload(/loss/i.test(name) ? 'loss-of-sale' : 'walk-ins', path, {});
      printErrors(file.checked);
      const result = await loadUpload(session, file);
      printLine(renderResult(result));
      const code = exitCodeOf(result);
      worst = Math.max(worst, code);
      if (code !== EXIT.ok) continue;
      await mkdir(join(folder, 'done'), { recursive: true });
      // The time keeps a file of the same name that was loaded before.
      await rename(
        path,
        join(folder, 'done', `${new Date().toISOString().replaceAll(/[:.]/g, '-')} ${name}`),
      );
    } catch (error) {
      printLine(`${name} was not loaded: ${error instanceof Error ? error.message : String(error)}`);
      worst = EXIT.failed;
    }
  }
  return worst;
}
