import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import colors from 'picocolors';
import { audit } from '../../db/audit.ts';
import { storeUpload } from '../../db/uploads.ts';
import type { RunResult } from '../../domain/run-result.ts';
import type { Session } from '../../installation/session.ts';
import { type CheckedUpload, checkUpload, findUploadTable } from '../../syncs/check-upload.ts';
import { syncs } from '../../syncs/index.ts';
import { startRun } from '../../temporal/runs.ts';
import { actor, EXIT, UsageError } from '../context.ts';
import { follow, withRunningEngines } from '../follow-run.ts';
import { count, exitCodeOf, printJson, printLine, renderResult } from '../output.ts';

interface ImportOptions {
  readonly store?: string;
  readonly strict?: true;
  readonly json?: true;
}

const FILE_BYTES_MAX = 50 * 1024 * 1024;
const ERRORS_SHOWN = 20;

/** Loads a file that a person has. Good rows are taken, bad ones are shown and quarantined. Returns the exit code. */
export async function importFile(kind: string, path: string, options: ImportOptions): Promise<number> {
  const file = await readUpload(kind, path, options);
  const { errors } = file.checked;
  if (!options.json) printErrors(file.checked);
  if (options.strict && errors.length > 0) {
    if (options.json) printJson({ rows: file.checked.rows, errors, run: null });
    else printLine('Nothing was loaded, because --strict refuses a file with any bad row.');
    return EXIT.usage;
  }
  return withRunningEngines(async (session) => {
    const result = await loadUpload(session, file);
    if (options.json) printJson({ rows: file.checked.rows, errors, run: result });
    else printLine(renderResult(result));
    return exitCodeOf(result);
  });
}

type CheckedFile = Awaited<ReturnType<typeof readUpload>>;

/** Reads and checks a file. @throws UsageError, or SyncFailure when it can't be used as a whole */
export async function readUpload(kind: string, path: string, { store }: Pick<ImportOptions, 'store'>) {
  const { sync, table } = findUploadTable(syncs, kind);
  const { size } = await stat(path).catch(() => {
    throw new UsageError(`There is no file ${path}.`);
  });
  if (size > FILE_BYTES_MAX) {
    throw new UsageError(
      `${path} has ${count(size)} bytes; an import takes ${count(FILE_BYTES_MAX)}. Split it.`,
    );
  }
  const options: Record<string, string> = store === undefined ? {} : { store };
  const upload = { fileName: basename(path), content: await readFile(path), options };
  return { sync, table, upload, checked: await checkUpload(table, upload) };
}

/** Loads a file in a run of its own, and waits for its end. */
export async function loadUpload(session: Session, { sync, table, upload }: CheckedFile): Promise<RunResult> {
  const { db } = session.database;
  const uploadId = await storeUpload(db, upload, actor());
  const started = await startRun(session.client, {
    sync: sync.name,
    kind: 'import',
    tables: [table.name],
    uploadId,
    trigger: 'upload',
    triggeredBy: actor(),
  });
  const detail = { runId: started.runId, file: upload.fileName };
  await audit(db, { actor: actor(), action: 'import', subject: `${sync.name}/${table.name}`, detail });
  return follow(session, started);
}

/** What is wrong in a file, by row and column. */
export function printErrors({ rows, errors }: CheckedUpload): void {
  for (const { row, reasons } of errors.slice(0, ERRORS_SHOWN)) {
    printLine(`${colors.yellow('!')} row ${row}: ${reasons.join('; ')}`);
  }
  if (errors.length > ERRORS_SHOWN) printLine(`and ${count(errors.length - ERRORS_SHOWN)} more bad rows`);
  if (errors.length > 0) printLine(`${count(errors.length)} of ${count(rows)} rows can't be taken.`);
}
