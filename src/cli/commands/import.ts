import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import colors from 'picocolors';
import type { RunResult } from '../../domain/run-result.ts';
import { type ImportedFile, startImport } from '../../installation/import-upload.ts';
import type { Session } from '../../installation/session.ts';
import { readSettings } from '../../settings.ts';
import {
  type CheckedUpload,
  checkUpload,
  findUploadKind,
  PREVIEW_ROWS,
  prepareUpload,
  type UploadError,
} from '../../syncs/check-upload.ts';
import { dayIn } from '../../syncs/days.ts';
import type { SkippedRow, Upload } from '../../syncs/define-sync.ts';
import { syncs } from '../../syncs/index.ts';
import { actor, commandContext, EXIT, UsageError } from '../context.ts';
import { follow, withRunningEngines } from '../follow-run.ts';
import { count, exitCodeOf, printJson, printLine, renderResult } from '../output.ts';

interface ImportOptions {
  readonly store?: string;
  readonly strict?: true;
  readonly json?: true;
}

const ERRORS_SHOWN = 20;
const PROGRESS_EVERY_MS = 2_000;

/** Loads a file that a person has. Good rows are taken, bad ones are shown and quarantined. Returns the exit code. */
export async function importFile(kind: string, path: string, options: ImportOptions): Promise<number> {
  // Reads `.env` too.
  await commandContext();
  const file = await readUpload(kind, path, options);
  const { rows, badRows, errors, complete } = file.checked;
  const shown = { rows, bad_rows: badRows, errors, complete };
  if (!options.json) printErrors(file.checked);
  if (options.strict && badRows > 0) {
    if (options.json) printJson({ ...shown, run: null });
    else printLine('Nothing was loaded, because --strict refuses a file with any bad row.');
    return EXIT.usage;
  }
  return withRunningEngines(async (session) => {
    const skipped = await findSkipped(session, file);
    if (!options.json) printSkipped(skipped);
    const result = await loadUpload(session, file);
    if (options.json) printJson({ ...shown, skipped, run: result });
    else printLine(renderResult(result));
    return exitCodeOf(result);
  });
}

type CheckedFile = ImportedFile & { readonly checked: CheckedUpload };

/** Reads and checks a file. @throws UsageError, or SyncFailure when it can't be used as a whole */
export async function readUpload(
  kind: string,
  path: string,
  { store, strict }: Pick<ImportOptions, 'store' | 'strict'>,
): Promise<CheckedFile> {
  const found = findUploadKind(syncs, kind);
  const { size } = await stat(path).catch(() => {
    throw new UsageError(`There is no file ${path}.`);
  });
  const { sync, maxBytes } = found;
  if (size > maxBytes) {
    throw new UsageError(`${path} has ${count(size)} bytes; an import takes ${count(maxBytes)}. Split it.`);
  }
  const given: Upload = {
    fileName: basename(path),
    options: store === undefined ? {} : { store },
    read: () => createReadStream(path, { highWaterMark: 1024 * 1024 }),
  };
  const upload = await prepareUpload(found, given);
  const today = dayIn(sync.timeZone(readSettings(sync.settings, process.env)), new Date());
  // Only whoever refuses a file for a bad row has to have seen all of them beforehand.
  const rowsMax = strict ? undefined : PREVIEW_ROWS;
  const checked = await checkUpload(found, upload, today, { rowsMax, progress: sayProgress() });
  return { kind: found, upload, checked };
}

/** Says now and then how far the check is, on standard error. */
function sayProgress(): (rows: number) => void {
  let saidAt = Date.now();
  return (rows) => {
    if (Date.now() - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = Date.now();
    process.stderr.write(`${count(rows)} rows checked\n`);
  };
}

/** Loads a file in a run of its own, and waits for its end. */
export async function loadUpload(session: Session, file: ImportedFile): Promise<RunResult> {
  return follow(session, await startImport(session, file, { actor: actor() }));
}

/** What is wrong in a file, by row and column. */
export function printErrors({ rows, badRows, errors, complete }: CheckedUpload): void {
  for (const error of errors.slice(0, ERRORS_SHOWN)) {
    printLine(`${colors.yellow('!')} ${placeOf(error)}: ${error.reasons.join('; ')}`);
  }
  const more = badRows - Math.min(errors.length, ERRORS_SHOWN);
  if (more > 0) printLine(`and ${count(more)} more bad rows`);
  const looked = complete ? '' : 'the first ';
  if (badRows > 0) printLine(`${count(badRows)} of ${looked}${count(rows)} rows can't be taken.`);
  if (!complete) printLine(`The first ${count(rows)} rows were looked at; the run checks all of them.`);
}

const placeOf = ({ sheet, row }: UploadError): string =>
  sheet === null ? `row ${row}` : `sheet ${sheet}, row ${row}`;

async function findSkipped(
  { database }: Session,
  { kind, upload }: ImportedFile,
): Promise<readonly SkippedRow[]> {
  const skipped: SkippedRow[] = [];
  for (const { source } of kind.parts) {
    skipped.push(...((await source.findSkipped?.(database.db, upload)) ?? []));
  }
  return skipped;
}

function printSkipped(skipped: readonly SkippedRow[]): void {
  for (const { row, reason } of skipped.slice(0, ERRORS_SHOWN)) {
    printLine(`${colors.dim('-')} row ${row} is skipped: ${reason}`);
  }
  if (skipped.length > ERRORS_SHOWN)
    printLine(`and ${count(skipped.length - ERRORS_SHOWN)} more are skipped`);
}
